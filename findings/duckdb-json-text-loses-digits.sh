#!/usr/bin/env bash
# DuckDB 2.0.1, read_json: a JSON number of more than 17 digits is exact in a column told as DECIMAL(38,10), and loses
# digits in one told as VARCHAR or JSON, where one would expect its text as it stands. Who reads prices or volumes as text "to be
# safe" and casts later has rounded them by then.
#
# Seen on 2026-11-28, Linux x86_64, Python 3.11:
#   DECIMAL(38,10)  18434253109835476992.0000000001
#   VARCHAR         1.8434253109835477e+19
#   JSON            18434253109835477000.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install duckdb==2.0.1
echo '{"volume":18434253109835476992.0000000001}' >"$folder/trades.ndjson"
"$folder/venv/bin/python" - "$folder/trades.ndjson" <<'PYTHON'
import sys
import duckdb

WRITTEN = "18434253109835476992.0000000001"
seen = {}
for told in ["DECIMAL(38,10)", "VARCHAR", "JSON"]:
    query = f"select volume::VARCHAR from read_json('{sys.argv[1]}', format='newline_delimited', columns={{volume: '{told}'}})"
    [(seen[told],)] = duckdb.sql(query).fetchall()
    print(f"{told:15} {seen[told]}")
assert seen["DECIMAL(38,10)"] == WRITTEN, "a told decimal is no longer exact"
assert seen["VARCHAR"] != WRITTEN and seen["JSON"] != WRITTEN, "the text keeps its digits now"
PYTHON
