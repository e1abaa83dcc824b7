"""Compares the bars that `quotelake roll` has written with those that an engine makes from bronze by `quotelake sql --bars`.

bars_judge.py ENGINE FOLDER TOOL    prints the number of bars and what differs, as a last line of JSON
"""

import importlib
import json
import math
import os
import pathlib
import sys
from datetime import date, datetime, timezone
from decimal import Decimal

import pyarrow.parquet as pq

import tool

INTERVALS = ("1m", "1h", "1d")
TOPICS = ("trades_raw", "crypto-prices", "stock-quotes", "stock-prices", "stock-board", "stock-intraday", "stock-historical")


def rolled(folder, topic, interval):
    """Our bars, each by its symbol and start."""
    found = {}
    for path in folder.glob(f"silver/epoch=*/lake_interval={interval}/lake_topic={topic}/*/*.parquet"):
        # The file alone: its folders are no columns.
        for row in pq.ParquetFile(path).read().to_pylist():
            row = plain(row)
            key = (row["symbol"], row["start_time"])
            assert key not in found, f"{key} twice"
            found[key] = row
    return found


def differing(expected, rows):
    """What differs, the first rows side by side; none if nothing does. Every column of ours is compared."""
    found, wrong = {}, []
    for row in rows:
        row = plain(row)
        key = (row["symbol"], row["start_time"])
        if key in found:
            wrong.append(f"{key}: twice")
        found[key] = row
    for key in sorted(expected.keys() | found.keys()):
        ours, theirs = expected.get(key), found.get(key)
        if ours is None or theirs is None:
            wrong.append(f"{key}: {'not ours' if ours is None else 'not theirs'}: {ours or theirs}")
            continue
        cells = [f"{name} {ours[name]} / {theirs[name]}" for name in ours if not same(ours[name], theirs[name])]
        if cells:
            wrong.append(f"{key}: ours / theirs: {', '.join(cells)}")
    return wrong


# A ratio of two decimals is rounded three times by either side: of each decimal, and of the quotient.
ULPS = 4


def same(ours, theirs):
    if isinstance(ours, float) and isinstance(theirs, float):
        return abs(ours - theirs) <= ULPS * math.ulp(max(abs(ours), abs(theirs)))
    return type(ours) is type(theirs) and ours == theirs


def plain(row):
    return {name: cell(value) for name, value in row.items()}


def cell(value):
    if isinstance(value, datetime):
        utc = value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return value.normalize()
    return value


def compare(engine, name, folder, options):
    """Every row and column of every topic and interval; gives how many rows are the same."""
    rows = engine.bars(tool.sql("--engine", name, "--bars", *options))
    count, wrong = 0, []
    for topic in TOPICS:
        for interval in INTERVALS:
            expected = rolled(folder, topic, interval)
            of_view = differing(expected, rows(f"bars_{interval}_{tool.view(topic)}"))
            wrong += [f"{engine.NAME}, {topic}, {interval}: {what}" for what in of_view[:5]]
            wrong += [f"{engine.NAME}, {topic}, {interval}: {len(of_view) - 5} more"] if len(of_view) > 5 else []
            count += len(expected)
    return count, wrong


if __name__ == "__main__":
    engine, folder, tool.TOOL = sys.argv[1:]
    engine = getattr(importlib.import_module(f"read_{engine.lower()}"), engine)()
    data = pathlib.Path(folder)
    count, wrong = compare(engine, engine.NAME.lower(), data / "s3" / "bars", ("--data", data, "--bucket", "bars"))
    sys.stdout.write("\n" + json.dumps({"rows": count, "wrong": wrong}))
    sys.stdout.flush()
    os._exit(0)
