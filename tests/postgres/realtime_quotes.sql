-- The table as dashboards read it, for those that bring no table of their own: fewer columns than quotelake's, no partitions,
-- the same keys and indexes. `{topic}`, `{partition}` and `{offset}` are the names that a writer has for Kafka's coordinates.
CREATE TABLE realtime_quotes (
    ticker text NOT NULL,
    time timestamptz,
    price numeric NOT NULL,
    volume numeric,
    total_volume numeric,
    change numeric,
    change_percent numeric,
    ceiling_price numeric,
    floor_price numeric,
    reference_price numeric,
    highest_price numeric,
    lowest_price numeric,
    bid_price numeric,
    ask_price numeric,
    created_at timestamptz NOT NULL DEFAULT now(),
    {topic} text NOT NULL,
    {partition} integer NOT NULL,
    {offset} bigint NOT NULL,
    PRIMARY KEY ({topic}, {partition}, {offset})
);
CREATE INDEX ON realtime_quotes (created_at DESC);
CREATE INDEX ON realtime_quotes (ticker, time DESC);
