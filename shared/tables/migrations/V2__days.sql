-- One partition for each day (UTC) of realtime_quotes, so that old days drop at once.
--
--   CALL quotelake_days(100, NULL);                from today to 100 days ahead, nothing is dropped
--   CALL quotelake_days(7, 30);                    the same for 7 days, and days that ended over 30 days ago are dropped
--   CALL quotelake_days(7, NULL, '2026-01-01');    days of the past too, before a replay
--
-- A day that already has rows in the default partition gets a partition too, and they move into it (of the last 10 years).
-- A default partition that is missing is made again.
-- Not in a transaction block: each day is a transaction of its own. Writers and readers go on, and wait while rows
-- move; where one holds a lock for 5 seconds, the call ends with an error, and the next call does the rest. Only the
-- tables' owner can call it.
CREATE PROCEDURE quotelake_days(ahead integer, keep integer, since date DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
    today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
    oldest CONSTANT date := CASE WHEN keep IS NULL THEN today - 3653 ELSE today - keep END;
    day date;
    days date[];
    day_starts text;
    day_ends text;
    old regclass;
BEGIN
    IF ahead IS NULL OR ahead < 0 OR ahead > 3653 THEN
        RAISE EXCEPTION 'quotelake_days: ahead is %, and has to be a number of days from 0 to 3653', ahead
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF keep < 1 THEN
        RAISE EXCEPTION 'quotelake_days: keep is %, and has to be at least 1 day, or NULL to keep all', keep
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    PERFORM set_config('lock_timeout', '5s', true);
    IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = 'realtime_quotes'::regclass AND partdefid <> 0) THEN
        -- One that was detached has rows.
        CREATE TABLE IF NOT EXISTS realtime_quotes_default (LIKE realtime_quotes INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        ALTER TABLE realtime_quotes ATTACH PARTITION realtime_quotes_default DEFAULT;
    END IF;
    days := ARRAY(
        SELECT wanted FROM (
            SELECT generate_series(
                greatest(least(coalesce(since, today), today), oldest)::timestamp, (today + ahead)::timestamp, '1 day')::date
            UNION
            SELECT DISTINCT (created_at AT TIME ZONE 'UTC')::date FROM realtime_quotes_default
        ) AS wanted (wanted)
        WHERE wanted BETWEEN oldest AND today + ahead
            AND to_regclass('realtime_quotes_' || to_char(wanted, 'YYYYMMDD')) IS NULL
        ORDER BY wanted
    );
    COMMIT;
    FOREACH day IN ARRAY days LOOP
        PERFORM set_config('lock_timeout', '5s', true);
        -- Whatever the session's time zone and its style of dates.
        day_starts := to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00';
        day_ends := to_char(day + 1, 'YYYY-MM-DD') || ' 00:00:00+00';
        -- PARTITION OF would lock all of realtime_quotes; ATTACH lets it be read and written.
        EXECUTE format(
            'CREATE TABLE realtime_quotes_%s (LIKE realtime_quotes INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
            to_char(day, 'YYYYMMDD'));
        -- A reader that knows the partitions of before, and waits for the default one, would miss the rows that move.
        IF EXISTS (
            SELECT FROM realtime_quotes_default
            WHERE created_at >= day_starts::timestamptz AND created_at < day_ends::timestamptz
        ) THEN
            LOCK TABLE ONLY realtime_quotes IN ACCESS EXCLUSIVE MODE;
        END IF;
        LOCK TABLE realtime_quotes_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(
            'WITH moved AS (DELETE FROM realtime_quotes_default WHERE created_at >= $1 AND created_at < $2 RETURNING *)
             INSERT INTO realtime_quotes_%s SELECT * FROM moved',
            to_char(day, 'YYYYMMDD')) USING day_starts::timestamptz, day_ends::timestamptz;
        EXECUTE format(
            'ALTER TABLE realtime_quotes ATTACH PARTITION realtime_quotes_%s FOR VALUES FROM (%L) TO (%L)',
            to_char(day, 'YYYYMMDD'), day_starts, day_ends);
        COMMIT;
    END LOOP;

    IF keep IS NULL THEN
        RETURN;
    END IF;
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'realtime_quotes'::regclass
            AND relname ~ '^realtime_quotes_[0-9]{8}$'
            AND to_date(right(relname, 8), 'YYYYMMDD') < oldest
        ORDER BY relname
    LOOP
        PERFORM set_config('lock_timeout', '5s', true);
        EXECUTE format('DROP TABLE %s', old);
        COMMIT;
    END LOOP;
    DELETE FROM realtime_quotes_default WHERE created_at < oldest::timestamp AT TIME ZONE 'UTC';
END
$$;

REVOKE ALL ON PROCEDURE quotelake_days(integer, integer, date) FROM PUBLIC;
