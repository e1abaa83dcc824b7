#!/usr/bin/env bash
# PySpark 4.3.0 over bars in Parquet, in folders by interval (interval=1m, interval=1h, interval=1d): the type of a
# partition column is guessed from the folders that a reader names. Java takes "1d" and "1f" for floating-point numbers, so a
# reader of the daily bars alone has the number 1.0 where a reader of all bars has the text. A filter on '1d' still finds
# rows, but a union with another interval, or a join on the interval, matches none of them.
#
# Seen on 2026-11-28, Linux x86_64, Python 3.11, Java 17:
#   all intervals   string   1d 1h 1m
#   interval=1m     string   1m
#   interval=1d     double   1.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet install pyspark==4.3.0
export SPARK_LOCAL_IP=127.0.0.1
"$folder/venv/bin/python" - "$folder" 2>/dev/null <<'PYTHON'
import sys
from pyspark.sql import SparkSession

session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
root = f"{sys.argv[1]}/bars"
for interval in ("1m", "1h", "1d"):
    bars = session.createDataFrame([("AAPL", 675.68)], "symbol string, close double")
    bars.write.parquet(f"{root}/interval={interval}")


def seen(folder: str) -> tuple[str, str]:
    bars = session.read.option("basePath", root).parquet(folder)
    values = sorted(str(row.interval) for row in bars.select("interval").distinct().collect())
    return dict(bars.dtypes)["interval"], " ".join(values)


every, minutes, days = seen(root), seen(f"{root}/interval=1m"), seen(f"{root}/interval=1d")
print(f"all intervals   {every[0]}   {every[1]}")
print(f"interval=1m     {minutes[0]}   {minutes[1]}")
print(f"interval=1d     {days[0]}   {days[1]}")
session.stop()
assert every == ("string", "1d 1h 1m"), "all intervals together are no text any more"
assert minutes == ("string", "1m"), "minutes alone are no text any more"
assert days == ("double", "1.0"), "days alone are no number any more"
PYTHON
