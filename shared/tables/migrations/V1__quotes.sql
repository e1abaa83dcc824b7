-- Quotes: every one (realtime_quotes), and the newest of each ticker and source (latest_quotes).
-- PostgreSQL 13 to 18. What a record does not say is NULL.
--
-- Amazon Aurora DSQL has no partitions: leave out PARTITION BY, the DEFAULT partition, fillfactor and V2__days.sql there,
-- and write CREATE INDEX ASYNC. Quotelake is not tested on it.

CREATE TABLE realtime_quotes (
    ticker          text COLLATE "C" NOT NULL,
    time            timestamptz,                -- when the price was made
    price           numeric NOT NULL,
    volume          numeric,
    total_volume    numeric,
    change          numeric,
    change_percent  numeric,
    ceiling_price   numeric,
    floor_price     numeric,
    reference_price numeric,
    highest_price   numeric,
    lowest_price    numeric,
    bid_price       numeric,
    ask_price       numeric,
    created_at      timestamptz NOT NULL,       -- when the quote was fetched: the same again after a replay
    topic           text COLLATE "C" NOT NULL,
    epoch           text COLLATE "C" NOT NULL,  -- '' where a history has none
    kafka_partition integer NOT NULL,
    kafka_offset    bigint NOT NULL,
    event_id        text,                       -- equal for equal observations
    source          text COLLATE "C",
    currency        text,
    mic             text,
    session         text,
    trading_date    date,
    flags           text[],
    -- A record has one created_at, so this is one row for each record.
    CONSTRAINT realtime_quotes_record UNIQUE (topic, epoch, kafka_partition, kafka_offset, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX realtime_quotes_created_at ON realtime_quotes (created_at DESC);
CREATE INDEX realtime_quotes_ticker_time ON realtime_quotes (ticker, time DESC);

-- Rows of days that have no partition of their own.
CREATE TABLE realtime_quotes_default PARTITION OF realtime_quotes DEFAULT;

CREATE TABLE latest_quotes (
    ticker          text COLLATE "C" NOT NULL,
    time            timestamptz,
    price           numeric NOT NULL,
    volume          numeric,
    total_volume    numeric,
    change          numeric,
    change_percent  numeric,
    ceiling_price   numeric,
    floor_price     numeric,
    reference_price numeric,
    highest_price   numeric,
    lowest_price    numeric,
    bid_price       numeric,
    ask_price       numeric,
    created_at      timestamptz NOT NULL,
    topic           text COLLATE "C" NOT NULL,
    epoch           text COLLATE "C" NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset    bigint NOT NULL,
    event_id        text,
    source          text COLLATE "C" NOT NULL,  -- '' where the record names none
    currency        text,
    mic             text,
    session         text,
    trading_date    date,
    flags           text[],
    CONSTRAINT latest_quotes_key PRIMARY KEY (ticker, source)
) WITH (fillfactor = 50); -- room for the next version of a row beside it
