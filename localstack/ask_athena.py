"""Asks the emulated Athena for the bars of a deployed stack, by the template's tables and by those of `quotelake sql`,
and holds what it answers against the files, as DuckDB reads them, and against bronze.

ask_athena.py STACK BUCKET TABLES    with the SQL of `quotelake sql --engine athena --silver` in TABLES

AWS_ENDPOINT_URL says where Athena and the bucket are.
"""

import pathlib
import sys
import tempfile
import time

import boto3
import duckdb

STACK, BUCKET, TABLES = sys.argv[1:]
DATABASE = STACK.replace("-", "_")
RESULTS = "athena-results"
PARTITION = ["epoch", "lake_interval", "lake_topic", "lake_symbol"]
# Bars of one symbol, and what bronze says of its minutes: SQL for Athena itself, with a value for each column of the
# folders. What Binance's ticker says comes within seconds, so none of it is late.
BARS_OF_A_COIN = """
    SELECT start_time, ticks, CAST(low AS double) AS low, CAST(high AS double) AS high FROM bars
    WHERE epoch = '1' AND lake_interval = '1m' AND lake_topic = 'crypto-prices' AND lake_symbol = '_BTCUSDT'
    ORDER BY start_time"""
MINUTES_OF_A_COIN = """
    SELECT date_trunc('minute', meta.event_time) AS start_time, count(DISTINCT meta.event_id) AS ticks,
        CAST(min(price) AS double) AS low, CAST(max(price) AS double) AS high
    FROM crypto_prices
    WHERE epoch = '1' AND lake_symbol = '_BTCUSDT' AND lake_date >= DATE '2020-01-01'
    GROUP BY date_trunc('minute', meta.event_time) ORDER BY 1"""


def main():
    boto3.client("s3").create_bucket(Bucket=RESULTS)
    rows = the_template_s_table_has_the_columns_and_rows_of_the_files()
    minutes = bars_of_a_coin_are_what_bronze_says()
    tables = tables_of_the_tool_have_the_same_bars()
    print(f"Athena: {rows}; {minutes}; {tables}")


def the_template_s_table_has_the_columns_and_rows_of_the_files():
    columns, answered = athena(f"SELECT * FROM bars ORDER BY {', '.join(PARTITION)}, start_time")
    same(by_folder(columns_of_glue("bars")), by_folder(columns), "the template's table has other columns than the files")
    with tempfile.TemporaryDirectory() as folder:
        files = download("silver/epoch=", folder)
        names = ", ".join(f'"{name}"' for name, _ in columns)
        bars = f"read_parquet('{folder}/silver/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)"
        read = duckdb.sql(f"SELECT {names} FROM {bars} ORDER BY {', '.join(PARTITION)}, start_time").fetchall()
    same(answered, [tuple(map(text, row)) for row in read], "Athena's bars are not those in the files")
    return f"{len(read)} bars with {len(columns)} columns as DuckDB reads them from {files} files"


def bars_of_a_coin_are_what_bronze_says():
    (_, bars), (_, minutes) = athena(BARS_OF_A_COIN), athena(MINUTES_OF_A_COIN)
    same(bars, minutes, "the bars of BTCUSDT are not what bronze says")
    return f"{len(minutes)} minutes of BTCUSDT as its bronze says"


def tables_of_the_tool_have_the_same_bars():
    statements = pathlib.Path(TABLES).read_text().split(";")
    creations = [statement for statement in statements if statement.strip().startswith("create external table")]
    for creation in creations:
        athena(creation)
    for interval in ("1m", "1h", "1d"):
        # These tables lie in the folder of all intervals, and the emulator leaves their template of folders aside.
        asked = f"""
            SELECT lake_topic, symbol, count(*) AS bars, min(start_time), max(end_time), min(low), max(high), sum(ticks), sum(late)
            FROM %s WHERE bar_interval = '{interval}' GROUP BY lake_topic, symbol ORDER BY lake_topic, symbol"""
        (_, found), (_, expected) = athena(asked % f"bars_{interval}"), athena(asked % "bars")
        same(found, expected, f"bars_{interval} has other bars than the template's table")
    return f"the same in {len(creations)} tables of `quotelake sql`"


def athena(sql):
    """The columns, each with its type, and the rows as text."""
    client = boto3.client("athena")
    query = client.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": DATABASE},
        ResultConfiguration={"OutputLocation": f"s3://{RESULTS}/"},
    )["QueryExecutionId"]
    until = time.monotonic() + 60
    status = {"State": "QUEUED"}
    while status["State"] in ("QUEUED", "RUNNING"):
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        assert time.monotonic() < until, f"Athena does not answer within 60 s: {sql}"
        time.sleep(0.05)
    assert status["State"] == "SUCCEEDED", f"Athena: {status['StateChangeReason']}: {sql}"
    pages = [page["ResultSet"] for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=query)]
    columns = [(column["Name"], column["Type"]) for column in pages[0]["ResultSetMetadata"]["ColumnInfo"]]
    rows = [tuple(field.get("VarCharValue") for field in row["Data"]) for page in pages for row in page["Rows"]]
    # The first row of a SELECT has the names.
    return columns, rows[1:]


def columns_of_glue(table):
    table = boto3.client("glue").get_table(DatabaseName=DATABASE, Name=table)["Table"]
    columns = table["StorageDescriptor"]["Columns"] + table["PartitionKeys"]
    types = [column["Type"].split("(")[0] for column in columns]
    return [(column["Name"], {"string": "varchar"}.get(name, name)) for column, name in zip(columns, types)]


def by_folder(columns):
    """DuckDB has the columns of the folders in another order, at the end as well."""
    return columns[: -len(PARTITION)] + sorted(columns[-len(PARTITION) :])


def download(prefix, folder):
    """Copies the objects of the stack's bucket below `prefix`; how many there are."""
    s3, count = boto3.client("s3"), 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for listed in page.get("Contents", []):
            path = pathlib.Path(folder, listed["Key"])
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file(BUCKET, listed["Key"], str(path))
            count += 1
    return count


def text(value):
    """As the emulator spells values."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def same(found, expected, otherwise):
    assert expected, f"{otherwise}: there are none"
    different = next((pair for pair in zip(found, expected) if pair[0] != pair[1]), None)
    assert len(found) == len(expected) and not different, f"{otherwise}: {len(found)}, {len(expected)}, first {different}"


main()
