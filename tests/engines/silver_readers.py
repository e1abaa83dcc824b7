"""What engines read of silver: the Parquet files as they lie, and the views that `quotelake sql --silver` prints.

silver_readers.py ENGINE FOLDER TOOL    prints what it has read, as a last line of JSON; `run.py` compares the lines

Of every column: how many rows and values, their types, the least and the greatest, and the exact sum of numbers.
"""

import json
import os
import pathlib
import sys
from decimal import Decimal, getcontext

import bars_judge
import tool

getcontext().prec = 100
INTERVALS = bars_judge.INTERVALS
VIEWS = ["bars", "bars_filled", "bars_late", "bars_indicators", "spark_daily"]
OPTIONS = ("--bucket", "bars")


def duckdb(folder, files):
    import duckdb

    connection = duckdb.connect()
    rows = lambda query: plain(connection.sql(query))
    for interval in INTERVALS:
        yield interval, rows(f"select * from read_parquet('{files(interval)}', hive_partitioning = false)")
    connection.execute(tool.sql("--engine", "duckdb", "--silver", "--data", folder, *OPTIONS))
    for view in VIEWS:
        yield view, rows(f"select * from {view}")


def plain(relation):
    return [dict(zip(relation.columns, row)) for row in relation.fetchall()]


def spark(folder, files):
    import read_spark

    session = read_spark.session()
    rows = lambda frame: [row.asDict(recursive=True) for row in frame.collect()]
    for interval in INTERVALS:
        yield interval, rows(session.read.option("recursiveFileLookup", "true").parquet(files(interval).split("/*/")[0]))
    exec(tool.sql("--engine", "spark", "--silver", "--data", folder, *OPTIONS), {"spark": session})
    for view in VIEWS:
        yield view, rows(session.table(view))


def polars(folder, files):
    import polars

    for interval in INTERVALS:
        yield interval, polars.read_parquet(files(interval), hive_partitioning=False).to_dicts()
    names = {}
    exec(tool.sql("--engine", "polars", "--silver", "--data", folder, *OPTIONS), names)
    yield "bars", [row for interval in INTERVALS for row in names[f"bars_{interval}"].collect().to_dicts()]


def clickhouse(folder, files):
    from chdb.session import Session

    from read_clickhouse import WRITTEN, rows

    session = Session()
    asked = lambda table, more="use_hive_partitioning = 1": rows(
        session.query(f"select * from {table} settings {WRITTEN}, {more}", "JSONCompactEachRowWithNamesAndTypes")
    )
    for interval in INTERVALS:
        yield interval, asked(f"file('{files(interval)}', 'Parquet')", "use_hive_partitioning = 0")
    for statement in tool.sql("--engine", "clickhouse", "--silver", "--data", folder, *OPTIONS).split(";\n\n"):
        if statement.strip():
            session.query(statement)
    for view in VIEWS:
        yield view, asked(view)
    session.close()


def pyarrow(folder, files):
    import pyarrow.dataset

    for interval in INTERVALS:
        yield interval, pyarrow.dataset.dataset(paths(files(interval))).to_table().to_pylist()


def datafusion(folder, files):
    import datafusion

    for interval in INTERVALS:
        context = datafusion.SessionContext()
        context.register_parquet("bars", files(interval).split("/*/")[0])
        yield interval, context.sql("select * from bars").to_arrow_table().to_pylist()


def daft(folder, files):
    import daft

    for interval in INTERVALS:
        yield interval, daft.read_parquet(paths(files(interval))).to_pylist()


def paths(pattern):
    base, below = pattern.split("/*/", 1)
    return sorted(map(str, pathlib.Path(base).glob(f"*/{below}")))


ENGINES = {
    "DuckDB": duckdb, "Spark": spark, "Polars": polars, "ClickHouse": clickhouse, "pyarrow": pyarrow, "DataFusion": datafusion, "Daft": daft,
}


def summary(rows):
    """Of each column what every engine has to find, floats to nine digits because they are added in any order."""
    rows = [{name: value(cell) for name, cell in row.items()} for row in rows]
    if not rows:
        return {"rows": 0}
    found = {"rows": len(rows)}
    for name in rows[0]:
        cells = [row[name] for row in rows if row[name] is not None]
        numbers = [cell for cell in cells if isinstance(cell, (Decimal, int))]
        kinds = sorted({type(cell).__name__ for cell in cells})
        found[name] = [len(cells), kinds, str(min(cells, key=order, default="")), str(max(cells, key=order, default="")), str(sum(numbers, Decimal(0)).normalize())]
    return found


def order(cell):
    return json.dumps(cell, sort_keys=True) if isinstance(cell, (dict, tuple)) else cell


def value(cell):
    cell = bars_judge.cell(cell)
    if isinstance(cell, float):
        return float(f"{cell:.9g}")
    if isinstance(cell, str) and len(cell) == 27 and cell[10] == "T":
        return cell
    if isinstance(cell, dict):
        return json.dumps({name: value(member) for name, member in cell.items()}, sort_keys=True)
    return cell


def main(engine, folder):
    folder = pathlib.Path(folder)
    files = lambda interval: f"{folder}/s3/bars/silver/epoch=1/lake_interval={interval}/*/*/*.parquet"
    found = {}
    for name, rows in ENGINES[engine](folder, files):
        found[name] = summary(rows)
    return found


if __name__ == "__main__":
    tool.TOOL = sys.argv[3]
    found = main(sys.argv[1], sys.argv[2])
    sys.stdout.write("\n" + json.dumps(found))
    sys.stdout.flush()
    # Some engines' threads outlive the work.
    os._exit(0)
