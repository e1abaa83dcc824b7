"""Runs each way in turn, in rounds, on the same topics and the same server: README.md has what is compared and how.

Prints a line for each run, and at the end the medians and their ratios.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import jdbc_sink
import messages
from processes import Process
from servers import HERE, Kafka, Postgres

# How many of the records the one that commits each has to do: it would take minutes for all, at the same rate.
ONE_BY_ONE = 10_000
PATIENCE = 60

# When the rows were committed. The first transaction starts the clock, so its rows do not count: what it takes to start a
# program is told apart from how fast it is.
MEASURE = """
    WITH rows AS (SELECT pg_xact_commit_timestamp(xmin) AS at FROM realtime_quotes),
    bounds AS (
        SELECT count(*) AS rows, count(DISTINCT at) AS commits, min(at) AS first, max(at) AS last,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY at) AS middle
        FROM rows
    )
    SELECT rows, commits, extract(epoch FROM first)::float8, extract(epoch FROM last)::float8,
        (SELECT count(*) FROM rows WHERE at > first) / nullif(extract(epoch FROM last - first), 0)::float8,
        (SELECT count(*) FROM rows WHERE at > middle) / nullif(extract(epoch FROM last - middle), 0)::float8
    FROM bounds
"""


class Ground:
    """What all run on."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.kafka = Kafka(options.kafka, folder / "kafka")
        self.postgres = Postgres(folder / "postgres")
        self.runs = 0

    def start_run(self):
        """A folder and an empty database."""
        self.runs += 1
        folder = self.folder / f"run-{self.runs}"
        folder.mkdir()
        database = f"run_{self.runs}"
        self.postgres.fresh(database)
        return folder, database

    def make_table(self, database, names):
        statements = (HERE / "realtime_quotes.sql").read_text()
        for part, name in names.items():
            statements = statements.replace("{" + part + "}", name)
        with self.postgres.connect(database) as connection:
            connection.execute(statements)

    def wait_for_rows(self, database, process, rows):
        """Until there are as many, or none come any more."""
        until, last = time.monotonic() + PATIENCE, 0
        with self.postgres.connect(database) as connection:
            while True:
                # Asked first: what it has written before its end counts.
                ended = process.has_ended()
                found = connection.execute("select count(*) from realtime_quotes").fetchone()[0]
                if found == rows:
                    return
                if ended or time.monotonic() > until:
                    raise SystemExit(f"stopped at {found} of {rows} rows:\n{process.log.read_text()[-3000:]}")
                until = until if found == last else time.monotonic() + PATIENCE
                last = found
                time.sleep(0.5)


def python_consumer(ground, records, rows_a_commit):
    folder, database = ground.start_run()
    ground.make_table(database, {"topic": "topic", "partition": "kafka_partition", "offset": "kafka_offset"})
    words = [sys.executable, HERE / "consumer.py", ground.kafka.brokers, ground.postgres.url(database), records, rows_a_commit]
    return database, Process(words, folder / "log")


def sink(ground, settings, parameters=""):
    folder, database = ground.start_run()
    ground.make_table(database, jdbc_sink.COORDINATES)
    server = f"127.0.0.1:{ground.postgres.port}/{database}"
    process = jdbc_sink.start(ground.options.jdbc_sink, folder, ground.kafka.brokers, server, settings, parameters)
    return database, process


def quotelake(ground, batch_size, pollers=1):
    """The function as Lambda runs it, behind the triggers of `quotelake up`; its tables are those of its migrations."""
    folder, database = ground.start_run()
    tool = ground.options.bin_dir / "quotelake"
    subprocess.run([tool, "migrate", "--database", ground.postgres.url(database)], check=True, stdout=subprocess.DEVNULL)
    words = [tool, "up", "--json", "--template", HERE / "template.yaml", "--data", folder / "data", "--bin-dir", ground.options.bin_dir]
    words += ["--brokers", ground.kafka.brokers]
    own = {"DatabasePort": ground.postgres.port, "DatabaseName": database, "BatchSize": batch_size, "MinimumPollers": pollers}
    for name, value in own.items():
        words += ["--parameter", f"{name}={value}"]
    return database, Process(words, folder / "log")


def ways(records):
    """By name, how many rows there will be, and how it is started: the database and the process."""
    few = min(ONE_BY_ONE, records)
    large, rewrite, unnest = jdbc_sink.LARGE, jdbc_sink.REWRITE, jdbc_sink.UNNEST
    return {
        "python": (few, lambda ground: python_consumer(ground, few, 1)),
        "python-500": (records, lambda ground: python_consumer(ground, records, 500)),
        "quotelake": (records, lambda ground: quotelake(ground, 10_000)),
        "quotelake-2": (records, lambda ground: quotelake(ground, 10_000, pollers=2)),
        "quotelake-1000": (records, lambda ground: quotelake(ground, 1000)),
        "sink": (records, lambda ground: sink(ground, {})),
        "sink-3000": (records, lambda ground: sink(ground, large, rewrite)),
        "sink-3000-2": (records, lambda ground: sink(ground, large | {"tasks.max": 2}, rewrite)),
        "sink-unnest": (records, lambda ground: sink(ground, large | unnest)),
        "sink-unnest-2": (records, lambda ground: sink(ground, large | unnest | {"tasks.max": 2})),
    }


def run(ground, name, rows, start):
    """One way, once; what it took."""
    before = ground.postgres.seconds()
    started = time.time()
    database, process = start(ground)
    ground.wait_for_rows(database, process, rows)
    used = process.usage()
    process.stop()
    with ground.postgres.connect(database) as connection:
        found, commits, first, last, rate, second_half = connection.execute(MEASURE).fetchone()
        connection.execute("checkpoint")
    assert found == rows, f"{name}: {found} rows of {rows}"
    server = ground.postgres.seconds() - before
    with ground.postgres.connect("postgres") as connection:
        connection.execute(f"drop database {database} with (force)")
    per_record = sum(cpu for cpu, _ in used.values()) / rows * 1e6
    programs = " + ".join(f"{program} {peak:.0f} MB" for program, (_, peak) in used.items())
    print(
        f"{name:14} {rows:7} rows in {commits:6} commits, first after {first - started:5.1f} s, all after {last - started:6.1f} s:"
        f" {rate:8.0f} a second, second half {second_half:8.0f}; {per_record:5.0f} µs of CPU a record,"
        f" server {server / rows * 1e6:4.0f} µs; {programs}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return {"rate": rate, "second half": second_half}


def report(results):
    print()
    medians = {name: {what: statistics.median(run[what] for run in runs) for what in runs[0]} for name, runs in results.items()}
    for name, median in medians.items():
        print(f"{name:14} median of {len(results[name])}: " + ", ".join(f"{what} {value:.0f} a second" for what, value in median.items()))
    if "quotelake" in medians:
        for name, median in medians.items():
            print(f"quotelake / {name}: {medians['quotelake']['rate'] / median['rate']:.1f}")


@contextlib.contextmanager
def ground(options):
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL's user has to reach its own folder.
        os.chmod(folder, 0o755)
        ready = Ground(options, pathlib.Path(folder))
        try:
            yield ready
        finally:
            ready.postgres.stop()
            ready.kafka.stop()


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    for name in ["--kafka", "--jdbc-sink", "--bin-dir"]:
        parser.add_argument(name, type=pathlib.Path, required=True)
    return parser


def main():
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    chosen = {name: way for name, way in ways(options.records).items() if not options.only or name in options.only.split(",")}
    with ground(options) as ready:
        sent = messages.publish(ready.kafka.brokers, options.records, time.time())
        print(f"PostgreSQL {ready.postgres.version}; {options.records} records of {sent / options.records:.0f} bytes", flush=True)
        results = {name: [] for name in chosen}
        for _ in range(options.rounds):
            for name, way in chosen.items():
                results[name].append(run(ready, name, *way))
    report(results)


if __name__ == "__main__":
    main()
