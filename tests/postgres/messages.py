"""Publishes messages as the poller does: two recorded ones, for many symbols and times, with prices that move."""

import datetime
import json
import random

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

TOPICS = ["stock-quotes", "stock-board"]
PARTITIONS = 10
SYMBOLS = 1000
SEED = 14


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def meta(source, symbol, topic, dice, fetched, age_ms, **more):
    return {
        "source": source,
        "schema": f"{topic}/1",
        "event_id": f"{dice.getrandbits(128):032x}",
        "symbol": symbol,
        "asset_class": "equity",
        **more,
        "trading_date": instant(fetched)[:10],
        "event_time": instant(fetched - age_ms / 1000),
        "fetched_at": instant(fetched),
        "age_ms": age_ms,
        "flags": [],
    }


def stock_quote(symbol, dice, fetched):
    price = dice.randrange(1000, 60000) / 100
    change = dice.randrange(-500, 500) / 100
    time = int(fetched) - 2
    age_ms = round((fetched - time) * 1000)
    return {
        "c": price,
        "d": change,
        "dp": round(change / price * 100, 4),
        "h": round(price + 2.58, 2),
        "l": round(price - 2.98, 2),
        "o": round(price - 2.7, 2),
        "pc": round(price - change, 2),
        "t": time,
        "symbol": symbol,
        "fetched_at": int(fetched),
        "meta": meta("finnhub", symbol, "stock-quotes", dice, fetched, age_ms, mic=None, currency="USD", session="post"),
    }


def stock_board(symbol, dice, fetched):
    price = dice.randrange(200, 2000) * 50
    change = dice.randrange(-20, 20) * 50
    return {
        "symbol": symbol,
        "ticker": symbol,
        "time": instant(fetched - 2.374),
        "price": price,
        "volume": dice.randrange(1, 90) * 100,
        "total_volume": dice.randrange(10000, 90000) * 100,
        "change": change,
        "change_percent": round(change / price * 100, 2),
        "ceiling_price": price + 1900,
        "floor_price": price - 2600,
        "reference_price": price - change,
        "highest_price": price + 200,
        "lowest_price": price - 250,
        "bid_price": float(price),
        "ask_price": price + 50.0,
        "meta": meta("kbs", symbol, "stock-board", dice, fetched, 2374, mic="XSTC", currency="VND", session="regular"),
    }


def name(number):
    """Four letters, as the exchanges have them."""
    letters = []
    for _ in range(4):
        number, letter = divmod(number, 26)
        letters.append(chr(ord("A") + letter))
    return "".join(reversed(letters))


def messages(records, now):
    """Each with its topic: every symbol in turn, a turn every six seconds, until now."""
    dice = random.Random(SEED)
    turns = -(-records // SYMBOLS)
    for number in range(records):
        turn, symbol = divmod(number, SYMBOLS)
        fetched = now - (turns - turn) * 6 + symbol / SYMBOLS
        # Half of the symbols are on each topic.
        topic, make = (TOPICS[0], stock_quote) if symbol % 2 == 0 else (TOPICS[1], stock_board)
        yield topic, name(symbol), make(name(symbol), dice, fetched)


def make_topics(brokers):
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in TOPICS])
    admin.close()


def send(producer, topic, key, message):
    """Gives how many bytes the value has."""
    value = json.dumps(message, separators=(",", ":")).encode()
    producer.send(topic, key=key.encode(), value=value)
    return len(value)


def publish(brokers, records, now):
    """Makes the topics, and gives how many bytes all values have."""
    make_topics(brokers)
    producer = KafkaProducer(bootstrap_servers=brokers, linger_ms=20, batch_size=200_000, acks="all")
    sent = sum(send(producer, *message) for message in messages(records, now))
    producer.flush()
    producer.close()
    return sent
