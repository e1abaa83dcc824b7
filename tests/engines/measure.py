"""Measures one engine, in a process of its own: their signal handlers do not bear each other.

measure.py ENGINE FOLDER S3-ENDPOINT TOOL    prints in a last line of JSON the outcome by check, and why one is not `yes`
"""

import contextlib
import importlib
import json
import os
import pathlib
import pickle
import sys

os.environ.setdefault("RUST_BACKTRACE", "0")

import judged
import tool

MODULES = {
    "DuckDB": "read_duckdb",
    "Spark": "read_spark",
    "Polars": "read_polars",
    "ClickHouse": "read_clickhouse",
    "Pyarrow": "read_arrow",
    "DataFusion": "read_arrow",
    "Daft": "read_daft",
}
RANK = ["yes", "no", "error"]


def outcome(read, found):
    """`yes` if all that is read is right, `no` if something is wrong, `error` if nothing can be read; and why."""
    try:
        with silence():
            rows = read()
    except KeyboardInterrupt:
        raise
    # A panic of Rust is no Exception.
    except BaseException as error:
        return "error", f"{type(error).__name__}: {error}"
    why = found(rows)
    return ("no", why) if why else ("yes", None)


@contextlib.contextmanager
def silence():
    """Engines in other languages write past Python."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class Measured:
    """The outcomes of an engine by check, and the reasons of those that are not `yes`."""

    def __init__(self, engine):
        self.engine, self.cells, self.reasons = engine, {}, []

    def measure(self, check, way, topic, read, found):
        result, why = outcome(read, found)
        if why:
            self.reasons.append(f"{self.engine.NAME}, {way}, {check}, {topic}: {why}"[:300])
        return result

    def lake(self, check, lake, ways):
        """As the engine guesses and as it is told: the worst over the topics."""
        cells = []
        for way in ("untold", "told"):
            if way not in ways or not hasattr(self.engine, way):
                cells.append("–")
                continue
            read, found = getattr(self.engine, way), getattr(judged, way)
            repeats = getattr(self.engine, "GUESSES", 1) if way == "untold" else 1
            results = [
                self.measure(check, way, topic, lambda: read(lake, topic), lambda rows: found(lake, topic, rows))
                for topic in lake.records
                for _ in range(repeats)
            ]
            cells.append(max(results, key=RANK.index))
        self.cells[check] = " / ".join(cells)

    def told_alone(self, check, read, lake, topic, epoch=None):
        found = lambda rows: judged.told(lake, topic, rows, epoch)
        self.cells[check] = f"– / {self.measure(check, 'told', topic, read, found)}"


def main(name, folder, endpoint):
    engine = getattr(importlib.import_module(MODULES[name]), name)()
    measured = Measured(engine)
    checks = pickle.loads((folder / "checks.pickle").read_bytes())
    for check, lake, ways in checks:
        measured.lake(check, lake, ways)
    epochs, topic = next(lake for check, lake, _ in checks if check == "two epochs"), "stock-quotes"
    measured.cells["one of two epochs"] = "– / –"
    if hasattr(engine, "told"):
        measured.told_alone("one of two epochs", lambda: engine.told(epochs, topic, "--epoch", "2"), epochs, topic, "2")
    measured.cells["on S3 at an endpoint"] = "not run"
    if hasattr(engine, "on_s3"):
        measured.told_alone("on S3 at an endpoint", lambda: engine.on_s3(topic, endpoint), epochs, topic)
    if hasattr(engine, "more"):
        engine.more(folder)
    return measured


if __name__ == "__main__":
    tool.TOOL = sys.argv[4]
    measured = main(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3])
    sys.stdout.write("\n" + json.dumps({"cells": measured.cells, "reasons": measured.reasons}))
    sys.stdout.flush()
    # Daft's threads outlive a panic.
    os._exit(0)
