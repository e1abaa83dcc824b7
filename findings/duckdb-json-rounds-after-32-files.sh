#!/usr/bin/env bash
# DuckDB 2.0.1, read_json over a glob: types are guessed from the first 32 files. If their prices are whole numbers, the
# column is BIGINT, and the fractions of every later file are rounded without an error or a warning. With the whole prices in
# one file and the fractions in another, both orders are right, so a small trial shows nothing.
#
# Seen on 2026-11-28, Linux x86_64, Python 3.11:
#   1 whole, then 1 fraction    579.17
#   40 whole, then 1 fraction   579
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install duckdb==2.0.1
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import pathlib
import sys
import duckdb


def last_price(whole: int) -> str:
    folder = pathlib.Path(sys.argv[1]) / str(whole)
    folder.mkdir()
    for number in range(whole):
        (folder / f"{number:03}.ndjson").write_text('{"price":150}\n')
    (folder / "999.ndjson").write_text('{"price":579.17}\n')
    rows = duckdb.sql(f"select max(price)::VARCHAR from read_json('{folder}/*.ndjson')").fetchall()
    return rows[0][0]


few, many = last_price(1), last_price(40)
print(f"1 whole, then 1 fraction    {few}")
print(f"40 whole, then 1 fraction   {many}")
assert few == "579.17", "two files are rounded too"
assert many == "579", "later files are no longer rounded"
PYTHON
