"""The usual consumer: kafka-python and psycopg.

consumer.py BROKERS DATABASE-URL RECORDS ROWS-A-COMMIT

With one row a commit it does what most tutorials do: for each message an INSERT ... ON CONFLICT and a commit. With more it
sends them with executemany, which psycopg 3 does in pipeline mode, in one transaction.
"""

import json
import sys
from datetime import UTC, datetime

import psycopg
from kafka import KafkaConsumer

INSERT = """
    INSERT INTO realtime_quotes (ticker, time, price, volume, total_volume, change, change_percent, ceiling_price, floor_price,
        reference_price, highest_price, lowest_price, bid_price, ask_price, created_at, topic, kafka_partition, kafka_offset)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (topic, kafka_partition, kafka_offset) DO NOTHING
"""
BOARD = (
    "price volume total_volume change change_percent ceiling_price floor_price reference_price highest_price lowest_price"
    " bid_price ask_price"
).split()


def row(message):
    quote = json.loads(message.value)
    coordinates = (quote["meta"]["fetched_at"], message.topic, message.partition, message.offset)
    if message.topic == "stock-board":
        return (quote["ticker"], quote["time"], *map(quote.get, BOARD), *coordinates)
    time = datetime.fromtimestamp(quote["t"], UTC)
    said = quote["c"], None, None, quote["d"], quote["dp"], None, None, quote["pc"], quote["h"], quote["l"], None, None
    return (quote["symbol"], time, *said, *coordinates)


def one_by_one(consumer, connection, records):
    for message in consumer:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, row(message))
        connection.commit()
        records -= 1
        if records == 0:
            return


def batches(consumer, connection, records, rows):
    while records > 0:
        polled = consumer.poll(timeout_ms=1000, max_records=min(rows, records))
        found = [row(message) for messages in polled.values() for message in messages]
        if found:
            with connection.cursor() as cursor:
                cursor.executemany(INSERT, found)
            connection.commit()
        records -= len(found)


def main(brokers, database, records, rows):
    connection = psycopg.connect(database)
    consumer = KafkaConsumer(
        "stock-quotes", "stock-board", bootstrap_servers=brokers, group_id=f"python-{rows}-{database}", auto_offset_reset="earliest"
    )
    if rows == 1:
        one_by_one(consumer, connection, records)
    else:
        batches(consumer, connection, records, rows)
    connection.close()
    consumer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
