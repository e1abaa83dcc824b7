"""Spark, in one process; the session is kept, because it takes ten seconds to start."""

import functools
import os
import time

import lakes
import tool
from judge import as_text


@functools.cache
def session():
    # Times come to Python without a zone, in that of the process.
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    for name, value in {
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # Another than UTC: no time may depend on it.
        "spark.sql.session.timeZone": "Asia/Ho_Chi_Minh",
        "spark.sql.shuffle.partitions": "2",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


class Spark:
    NAME = "Spark"

    def untold(self, lake, topic):
        path = f"{lake.folder}/epoch=*/lake_topic={topic}"
        return rows(session().read.option("basePath", str(lake.folder)).json(path))

    def told(self, lake, topic, *options):
        exec(tool.sql("--engine", "spark", "--topic", topic, *lake.options, *options), {"spark": session()})
        return rows(session().table(tool.view(topic)))

    def bars(self, text):
        exec(text, {"spark": session()})
        # Each is asked for three times.
        for table in session().catalog.listTables():
            if table.name.startswith(("bars_lines_", "bars_minutes_")):
                session().catalog.cacheTable(table.name)
        return lambda view: [row.asDict(recursive=True) for row in session().table(view).collect()]

    def more(self, folder):
        """docs/engines.md: a stream of files has not seen what an object gained after it was read."""
        lake = lakes.packed(folder / "streamed")
        lake.lake.compression = "none"
        first = lakes.quote("FPT", 1)
        lake.put("trades_raw", "FPT", [first])
        seen = [stream(lake, "trades_raw", folder / "stream")]
        lake.records["trades_raw"].clear()
        lake.put("trades_raw", "FPT", [first, first, first])
        seen.append(stream(lake, "trades_raw", folder / "stream"))
        assert seen == [1, 1], seen


def stream(lake, topic, folder):
    """How many lines a stream has seen that goes on from where it was."""
    lines = session().readStream.schema("symbol STRING").json(f"{lake.folder}/epoch=1/lake_topic={topic}/*/*")
    written = lines.writeStream.format("parquet").option("checkpointLocation", f"{folder}/checkpoint")
    written.trigger(availableNow=True).start(f"{folder}/seen").awaitTermination()
    return session().read.parquet(f"{folder}/seen").count()


def rows(frame):
    return [as_text(row.asDict(recursive=True)) for row in frame.collect()]
