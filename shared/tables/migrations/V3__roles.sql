-- Two roles to grant to users: GRANT quotelake_writer TO the function's user, quotelake_reader TO those who only read.
-- Roles belong to the whole server; they stay as they are where another database has made them.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['quotelake_writer', 'quotelake_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION
                -- Another database has made it meanwhile.
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), name);
        -- The version of the tables, where refinery has written it.
        IF to_regclass('refinery_schema_history') IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON refinery_schema_history TO %I', name);
        END IF;
    END LOOP;
END
$$;

GRANT SELECT, INSERT, UPDATE ON realtime_quotes, latest_quotes TO quotelake_writer;
GRANT SELECT ON realtime_quotes, latest_quotes TO quotelake_reader;
