#!/usr/bin/env python3
"""The bars of an hour of quotes by DuckDB, timed beside `roll`.

    cargo bench -p silver --bench roll -- make FOLDER quotes 1000
    cargo bench -p silver --bench roll -- roll FOLDER
    roll_duckdb.py FOLDER partitioned|plain [--compare]

`partitioned` writes the files that silver has, one of each symbol and interval, `plain` one of each interval. The query knows
that there are only quotes of Finnhub with no more than six decimals and identifiers of 32 hexadecimal digits, so it is as
fast as DuckDB is here; `quotelake sql --engine duckdb --bars` writes the one that knows every topic. `--compare` has every row
of silver compared with it.
"""

import argparse
import pathlib
import resource
import shutil
import time

import duckdb

THREADS = 2

READ = """
create table said as
select symbol, meta.symbol as canonical_symbol, meta.currency as currency, meta.mic as mic, meta.source as source,
    cast(meta.event_id as uuid) as id, meta.event_time as event, meta.fetched_at as fetched, c as price,
    _kafka.partition as part, _kafka."offset" as off
from read_json('{folder}/bronze/epoch=1/lake_topic=stock-quotes/*/*/*.ndjson',
    format = 'newline_delimited', hive_partitioning = false, columns = {{
        symbol: 'VARCHAR', c: 'DECIMAL(18,6)',
        meta: 'STRUCT(source VARCHAR, event_id VARCHAR, symbol VARCHAR, mic VARCHAR, currency VARCHAR,
            event_time TIMESTAMP, fetched_at TIMESTAMP)',
        _kafka: 'STRUCT(partition INTEGER, "offset" BIGINT)'}})
"""

# Records that were polled twice are one observation: the one that was fetched first.
MINUTES = """
create table minutes as
with observed as (
    select symbol, id, event, unnest(min_by(
        {price: price, fetched: fetched, part: part, off: off, canonical_symbol: canonical_symbol,
            currency: currency, mic: mic, source: source}, (fetched, part, off)))
    from said group by symbol, id, event
), placed as (
    select *, fetched > event + interval '1 hour' as is_late, time_bucket(interval '1 minute', event) as start,
        (event, part, off) as place
    from observed
)
select symbol, start, start + interval '1 minute' as "end",
    min_by(price, place) filter (not is_late) as open, max(price) filter (not is_late) as high,
    min(price) filter (not is_late) as low, max_by(price, place) filter (not is_late) as "close",
    count(*) filter (not is_late) as ticks, sum(price) filter (not is_late) as price_sum,
    count(*) filter (is_late) as late,
    min(event) filter (not is_late) as first_event, max(event) filter (not is_late) as last_event,
    max_by(id, place) filter (not is_late) as close_id,
    max_by(canonical_symbol, place) as canonical_symbol, max_by(currency, place) as currency,
    max_by(mic, place) as mic, string_agg(distinct source, ',') as source,
    cast(timezone('America/New_York', timezone('UTC', start)) as date) as trading_date
from placed group by symbol, start
"""

COMPOSED = """
create table {name} as
select symbol, {start} as start, {end} as "end",
    min_by(open, start) as open, max(high) as high, min(low) as low, max_by("close", start) as "close",
    sum(ticks) as ticks, sum(price_sum) as price_sum, sum(late) as late, min(first_event) as first_event,
    max(last_event) as last_event, max_by(close_id, start) as close_id,
    max_by(canonical_symbol, start) as canonical_symbol, max_by(currency, start) as currency, max_by(mic, start) as mic,
    string_agg(distinct source, ',') as source, trading_date
from {parts} group by symbol, {unit}, trading_date
"""

COLUMNS = """
symbol, 'America/New_York' as time_zone, canonical_symbol, '{interval}' as bar_interval,
timezone('UTC', start) as start_time, timezone('UTC', "end") as end_time,
cast(open as decimal(38,18)) as open, cast(high as decimal(38,18)) as high, cast(low as decimal(38,18)) as low,
cast("close" as decimal(38,18)) as "close", cast(null as decimal(38,18)) as volume,
cast(null as decimal(38,18)) as quote_volume, cast(null as double) as vwap, cast(null as bigint) as trades,
cast(ticks as bigint) as ticks, cast(price_sum as decimal(38,18)) as price_sum,
cast(cast(price_sum as decimal(38,18)) as double) / nullif(ticks, 0) as avg_price, cast(late as bigint) as late, 'quote' as basis, source, currency, mic,
trading_date, timezone('UTC', first_event) as first_event_time, timezone('UTC', last_event) as last_event_time,
cast(null as decimal(38,18)) as session_volume, replace(cast(close_id as varchar), '-', '') as close_event_id,
(select min(mark) from marks) >= {over} as complete
"""

MARKS = "create table marks as select part, date_trunc('hour', max(fetched)) as mark from said group by part"

TABLES = [
    ("1m", "minutes", "date_trunc('hour', start) + interval '2 hours'"),
    ("1h", "hours", "start + interval '2 hours'"),
    ("1d", "days", "\"end\" + interval '1 hour'"),
]


def midnight(date):
    return f"timezone('UTC', timezone('America/New_York', cast({date} as timestamp)))"


def make(database, folder, out, partitioned):
    database.execute(READ.format(folder=folder))
    read = time.monotonic()
    database.execute(MINUTES)
    database.execute(MARKS)
    hour = "time_bucket(interval '1 hour', start)"
    end = f"{hour} + interval '1 hour'"
    database.execute(COMPOSED.format(name="hours", parts="minutes", start=hour, end=end, unit=hour))
    start, end = midnight("trading_date"), midnight("trading_date + 1")
    database.execute(COMPOSED.format(name="days", parts="hours", start=start, end=end, unit="trading_date"))
    composed = time.monotonic()
    for interval, table, over in TABLES:
        columns = COLUMNS.format(interval=interval, over=over)
        if partitioned:
            columns += ", '_' || symbol as lake_symbol"
            to = f"'{out}/lake_interval={interval}' (format parquet, compression zstd, partition_by (lake_symbol))"
        else:
            to = f"'{out}/{interval}.parquet' (format parquet, compression zstd)"
        database.execute(f"copy (select {columns} from {table} order by symbol, start_time) to {to}")
    return read, composed


def differing_rows(folder, out, plain):
    """Rows that only one of both has, of each interval."""
    database = duckdb.connect()
    database.execute("set TimeZone = 'UTC'")
    for interval, _, _ in TABLES:
        ours = f"{folder}/silver/epoch=1/lake_interval={interval}/*/*/*.parquet"
        theirs = f"{out}/{interval}.parquet" if plain else f"{out}/lake_interval={interval}/*/*.parquet"
        read = "select {} from read_parquet('{}', hive_partitioning = false)"
        columns = database.execute(f"describe {read.format('*', ours)}").fetchall()
        # The last digit of a ratio is its rounding's.
        names = [f'round("{name}", 9)' if of == "DOUBLE" else f'"{name}"' for name, of, *_ in columns]
        names = ", ".join(names)
        ours, theirs = read.format(names, ours), read.format(names, theirs)
        count = database.execute(f"select count(*) from ({ours})").fetchone()[0]
        pair = [
            database.execute(f"select count(*) from ({one} except all {other})").fetchone()[0]
            for one, other in [(ours, theirs), (theirs, ours)]
        ]
        yield interval, count, *pair


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("form", choices=["partitioned", "plain"])
    parser.add_argument("--compare", action="store_true")
    arguments = parser.parse_args()
    out = arguments.folder / "duckdb"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    database = duckdb.connect()
    database.execute(f"set threads = {THREADS}; set preserve_insertion_order = false; set TimeZone = 'UTC'")
    start, busy = time.monotonic(), time.process_time()
    read, composed = make(database, arguments.folder, out, arguments.form == "partitioned")
    end, busy = time.monotonic(), time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"duckdb {duckdb.__version__} {arguments.form}: seconds {end - start:.3f} of {busy:.3f} on processors"
        f" (read {read - start:.3f}, bars {composed - read:.3f}, write {end - composed:.3f}), peak {peak:.0f} MB"
    )
    if arguments.compare:
        for interval, count, ours, theirs in differing_rows(arguments.folder, out, arguments.form == "plain"):
            print(f"{interval}: {count} rows, {ours} only in silver, {theirs} only in DuckDB's")
    shutil.rmtree(out)


if __name__ == "__main__":
    main()
