"""How long it takes from the fetch of a quote to its row: the upserter with a batching window of nothing, on Apache Kafka.

Publishes for a minute 1,000 records a second, then six cycles of 1,000 tickers, each as fast as it can, as a poller does every
five minutes. The message says when the quote was fetched, here the moment before it is sent; the server notes when its row
was committed, by the same clock.
"""

import os
import random
import time

from kafka import KafkaProducer

import messages
from compare import arguments, ground, quotelake

SECONDS = 60
CYCLES = 6
PAUSE = 5
PATIENCE = 60

LATENCY = """
    WITH rows AS (
        SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - created_at)::float8 AS latency
        FROM realtime_quotes WHERE created_at >= to_timestamp(%s)
    )
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY latency), percentile_cont(0.99) WITHIN GROUP (ORDER BY latency),
        max(latency)
    FROM rows
"""


def send_now(producer, number, dice):
    symbol = number % messages.SYMBOLS
    topic, make = (messages.TOPICS[0], messages.stock_quote) if symbol % 2 == 0 else (messages.TOPICS[1], messages.stock_board)
    name = messages.name(symbol)
    messages.send(producer, topic, name, make(name, dice, time.time()))


def steady(producer, dice):
    begin = time.monotonic()
    for number in range(SECONDS * 1000):
        ahead = begin + number / 1000 - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        send_now(producer, number, dice)
    return SECONDS * 1000


def cycles(producer, dice):
    for _ in range(CYCLES):
        for number in range(1000):
            send_now(producer, number, dice)
        time.sleep(PAUSE)
    return CYCLES * 1000


def measure(ready, database, since, rows):
    until = time.monotonic() + PATIENCE
    while True:
        with ready.postgres.connect(database) as connection:
            found, half, most, worst = connection.execute(LATENCY, [since]).fetchone()
        if found == rows:
            return f"{rows} rows, p50 {half * 1000:.0f} ms, p99 {most * 1000:.0f} ms, most {worst * 1000:.0f} ms"
        if time.monotonic() > until:
            raise SystemExit(f"{found} of {rows} rows")
        time.sleep(0.5)


def main():
    options = arguments(__doc__).parse_args()
    with ground(options) as ready:
        messages.make_topics(ready.kafka.brokers)
        database, process = quotelake(ready, 1000)
        producer = KafkaProducer(bootstrap_servers=ready.kafka.brokers, acks="all")
        dice = random.Random(messages.SEED)
        for what, publish in {"1,000 records a second": steady, "cycles of 1,000 tickers": cycles}.items():
            # Milliseconds are all that a message says.
            since = int(time.time() * 1000) / 1000
            rows = publish(producer, dice)
            producer.flush()
            print(f"{what}: {measure(ready, database, since, rows)}; load {os.getloadavg()[0]:.1f}", flush=True)
            time.sleep(1)
        process.stop()


if __name__ == "__main__":
    main()
