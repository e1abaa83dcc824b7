"""Reads lakes with engines, as they guess types and as `quotelake sql` tells them; docs/engines.md has to say what comes.

run.py TOOL MINISTACK    in the repository; QUOTELAKE_SEED takes other random records
"""

import contextlib
import json
import os
import pathlib
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import bars_lake
import lakes
import tool
from first_writer import lands_the_same
from read_arrow import store

HERE = pathlib.Path(__file__).parent
TOOL, MINISTACK = sys.argv[1:3]
# Spark first, which takes longest.
ENGINES = ["Spark", "DuckDB", "Polars", "ClickHouse", "Pyarrow", "DataFusion", "Daft"]
COLUMNS = ["DuckDB", "Spark", "Polars", "ClickHouse", "Pyarrow", "DataFusion", "Daft"]
# Those that make bars of bronze by `quotelake sql --bars`.
BARS = ["Spark", "DuckDB"]
BOTH, TOLD = ("untold", "told"), ("told",)
SEED = int(os.environ.get("QUOTELAKE_SEED", "20261128"))
CHECKS = [
    ("whole prices, then a fraction", lakes.whole_prices_first, BOTH),
    ("null at first, a member that comes later", lakes.null_first, BOTH),
    ("38 digits as they were written", lakes.all_digits, BOTH),
    ("odd tickers, some of them with dates", lakes.tickers, BOTH),
    ("tickers that are all numbers", lakes.number_tickers, BOTH),
    ("one odd record among sound ones", lakes.odd_records, BOTH),
    ("any JSON in members of no column", lakes.other_members, BOTH),
    ("any JSON in every cell", lambda data: lakes.random_lake(data, SEED, 240), TOLD),
    ("any JSON in every cell, packed with zstd", lambda data: lakes.random_lake(data, SEED + 1, 240, "zstd"), TOLD),
    ("objects packed with zstd", lakes.packed, BOTH),
    ("a run of `quotelake up`", lakes.of_a_run, TOLD),
    ("two epochs", lakes.two_histories, BOTH),
]


def main():
    tool.TOOL = TOOL
    with tempfile.TemporaryDirectory() as folder, ministack(folder) as endpoint:
        folder = pathlib.Path(folder)
        subprocess.run([TOOL, "up", "--for", "8s", "--data", folder / "10"], check=True, stdout=subprocess.DEVNULL)
        checks = [(name, make(folder / str(number)), ways) for number, (name, make, ways) in enumerate(CHECKS)]
        random_lake = next(lake for check, lake, _ in checks if check == "any JSON in every cell")
        same = lands_the_same(pathlib.Path(TOOL).with_name("bronze-writer"), random_lake, store(endpoint), endpoint)
        upload(folder / str(len(CHECKS) - 1) / "s3/bronze-bucket/bronze", endpoint)
        made = bars_lake.make(folder / "bars", pathlib.Path(TOOL).with_name("bronze-writer"), store(endpoint), endpoint, SEED)
        (folder / "checks.pickle").write_bytes(pickle.dumps(checks))
        with ThreadPoolExecutor(2) as pool:
            measured = dict(zip(ENGINES, pool.map(lambda engine: measure(engine, folder, endpoint), ENGINES)))
            bars = dict(zip(BARS, pool.map(lambda engine: bars_of(engine, folder / "bars"), BARS)))
            silver = dict(zip(ENGINES, pool.map(lambda engine: silver_of(engine, folder / "bars"), ENGINES)))
    table = as_table(measured)
    print("\n".join(table))
    missing = [row for row in table if row not in pathlib.Path("docs/engines.md").read_text().splitlines()]
    if missing:
        reasons = dict.fromkeys(reason for name in COLUMNS for reason in measured[name]["reasons"])
        sys.exit("\n".join(["", *reasons, "", "docs/engines.md does not have these rows:", *missing]))
    compare_silver(bars, silver)
    print(f"{len(BARS)} passed: every row and column of {bars[BARS[0]]['rows']} bars of {made} records is that of {' and '.join(BARS)}")
    print(f"{len(silver)} passed: engines that read the same of silver's files, and of its views where they have them")
    print(f"1 passed: {same} random records, each landed by the bronze writer in the line that the engines have read")
    print(f"{len(COLUMNS) * (len(table) - 2)} passed: what {len(COLUMNS)} engines read, as docs/engines.md says")


def compare_silver(bars, silver):
    """Ends the program if an engine makes another bar than `quotelake roll`, or reads other rows than the others."""
    wrong = [what for engine in BARS for what in bars[engine]["wrong"]]
    expected = silver["DuckDB"]
    for engine, found in silver.items():
        for name, summary in found.items():
            columns = [column for column in {**expected[name], **summary} if expected[name].get(column) != summary.get(column)]
            wrong += [f"{engine}, silver, {name}, {column}: {summary.get(column)}, DuckDB {expected[name].get(column)}" for column in columns]
    if wrong:
        sys.exit("\n".join(wrong))


def bars_of(engine, folder):
    return last_line(HERE / "bars_judge.py", engine, folder, TOOL)


def silver_of(engine, folder):
    return last_line(HERE / "silver_readers.py", "pyarrow" if engine == "Pyarrow" else engine, folder, TOOL)


def as_table(measured):
    """As Markdown: a check a row, an engine a column."""
    checks = measured[COLUMNS[0]]["cells"]
    rows = [[check, *(measured[name]["cells"][check] for name in COLUMNS)] for check in checks]
    head = ["untold / told", *("pyarrow" if name == "Pyarrow" else name for name in COLUMNS)]
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]


def upload(bronze, endpoint):
    """The lake to the bucket `lake`."""
    s3 = store(endpoint)
    s3.create_dir("lake")
    for path in bronze.rglob("*.*json*"):
        with s3.open_output_stream(f"lake/bronze/{path.relative_to(bronze)}") as stream:
            stream.write(path.read_bytes())


def measure(engine, folder, endpoint):
    """What measure.py prints of an engine; an end of it that it has not chosen is one of this program."""
    return last_line(HERE / "measure.py", engine, folder, endpoint, TOOL)


def last_line(program, engine, *arguments):
    child = subprocess.run([sys.executable, program, engine, *arguments], capture_output=True, text=True, timeout=900)
    if child.returncode:
        sys.exit(f"{child.stderr[-4000:]}\n{engine} has ended with {child.returncode}")
    return json.loads(child.stdout.rsplit("\n", 1)[1])


@contextlib.contextmanager
def ministack(folder):
    """An S3 server on loopback; gives its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    own = pathlib.Path(folder) / "ministack"
    own.mkdir()
    settings = dict(BIND_HOST="127.0.0.1", GATEWAY_PORT=port, TMPDIR=str(own), S3_DATA_DIR=str(own), STATE_DIR=str(own))
    process = subprocess.Popen(
        [MINISTACK], env=os.environ | settings, cwd=own, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while not answers(f"{url}/_ministack/health"):
            assert time.monotonic() < until and process.poll() is None, "ministack does not answer"
            time.sleep(0.2)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


if __name__ == "__main__":
    main()
