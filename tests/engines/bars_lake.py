"""A lake for the test of bars: a day of recorded trades and tickers, quotes over a weekend, two days of Vietnam's stocks,
bars of providers, and random records. The bronze writer lands it on S3, and `quotelake roll` makes its bars there."""

import csv
import hashlib
import json
import pathlib
import random
import subprocess
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import tool
from first_writer import invoke, text

HERE = pathlib.Path(__file__).parent
RECORDED = HERE.parents[1] / "local" / "market-server" / "data"
BUCKET = "bars"
NEW_YORK, SAIGON = ZoneInfo("America/New_York"), ZoneInfo("Asia/Ho_Chi_Minh")
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


class Raw(str):
    """A number as it is written."""


class Records:
    """What is in the topics; offsets count up over a partition."""

    def __init__(self):
        self.sent = defaultdict(list)

    def add(self, topic, symbol, body, fetched, partition=0, schema=None, event=None, event_id=None, meta=True, **more):
        schema = schema or f"{topic.replace('_', '-')}/1"
        if meta:
            told = {"source": "recorded", "schema": schema, "symbol": symbol, "asset_class": "equity", "mic": None, "session": "regular"}
            told |= more
            told["event_id"] = event_id
            told["event_time"] = None if event is None else iso(event)
            told["fetched_at"] = iso(fetched)
            told["age_ms"] = None if event is None else max(fetched - event, 0)
            body = body | {"meta": told}
        self.sent[topic, partition].append((as_json(body), fetched, symbol))

    def events(self):
        """What a trigger sends, in batches of some thousands."""
        for (topic, partition), records in self.sent.items():
            for start in range(0, len(records), 4_000):
                batch = [
                    {
                        "topic": topic, "partition": partition, "offset": offset, "timestamp": fetched, "timestampType": "CREATE_TIME",
                        "key": text(symbol.encode()), "value": text(body.encode()), "headers": [],
                    }
                    for offset, (body, fetched, symbol) in enumerate(records[start : start + 4_000], start)
                ]
                yield {
                    "eventSource": "SelfManagedKafka", "bootstrapServers": "127.0.0.1:9092",
                    "records": {f"{topic}-{partition}": batch},
                }


def as_json(value):
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{as_json(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return json.dumps(value)


def iso(millis):
    time = datetime.fromtimestamp(millis // 1000, timezone.utc)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03}Z"


def millis(year, month, day, hour=0, minute=0, zone=timezone.utc):
    return int(datetime(year, month, day, hour, minute, tzinfo=zone).timestamp()) * 1000


def an_id(*of):
    return hashlib.sha256(repr(of).encode()).hexdigest()[:32]


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def trades(records):
    """2,000 trades of a minute or so, stretched onto a day; some are delivered twice, in another order."""
    recorded = rows(HERE / "data" / "trades.csv")
    times = [int(datetime.fromisoformat(row["time"].replace("Z", "+00:00")).timestamp() * 1000) for row in recorded]
    first, last = min(times), max(times)
    dice = random.Random(1)
    for number, (row, time) in enumerate(zip(recorded, times)):
        event = millis(2025, 3, 25) + (time - first) * (DAY - 1) // (last - first)
        symbol = f"BINANCE:{row['symbol']}"
        body = {"symbol": symbol, "price": Raw(row["price"]), "size": Raw(row["size"]), "time": event, "conditions": []}
        for _ in range(1 + (dice.random() < 0.05)):
            fetched = event + dice.randint(5, 2_000)
            records.add(
                "trades_raw", symbol, body, fetched, len(symbol) % 2, event=event, event_id=an_id(symbol, number), asset_class="crypto",
                currency="USDT", source="finnhub",
            )


def tickers(records):
    """The recorded state of two coins, again and again through a day, every 20 s."""
    by_symbol = defaultdict(list)
    for row in rows(RECORDED / "crypto.csv"):
        by_symbol[row["symbol"]].append(row)
    for beat in range(DAY // (20 * SECOND)):
        for symbol, recorded in by_symbol.items():
            row = recorded[beat % len(recorded)]
            event = millis(2025, 3, 25) + beat * 20 * SECOND + 137
            body = {
                "symbol": symbol, "event_time": event, "price": Raw(row["last"]), "open": Raw(row["open"]), "high": Raw(row["high"]),
                "low": Raw(row["low"]), "volume": Raw(row["volume"]), "quote_volume": Raw(row["quote_volume"]),
                "number_trades": int(row["count"]), "timestamp": iso(event),
            }
            records.add(
                "crypto-prices", symbol, body, event + 250, event=event, event_id=an_id(symbol, event), asset_class="crypto",
                currency="USDT", source="binance",
            )


def weekend(records):
    """Quotes from a Friday to the Monday after, between which New York's clocks change: all weekend the same quote again."""
    closes = defaultdict(list)
    for row in rows(RECORDED / "stocks.csv"):
        closes[row["symbol"]].append(row)
    opened, closed = millis(2026, 3, 6, 15, 0, NEW_YORK), millis(2026, 3, 6, 16, 0, NEW_YORK)
    monday = millis(2026, 3, 9, 9, 30, NEW_YORK)
    for symbol, days in closes.items():
        for fetched in range(opened, monday + HOUR, 7 * MINUTE):
            event = fetched - 4 * SECOND
            if closed < event < monday:
                event = closed
            day = days[event // (3 * MINUTE) % len(days)]
            body = {"c": Raw(day["close"]), "o": Raw(day["open"]), "h": Raw(day["high"]), "l": Raw(day["low"]), "t": event // 1000}
            records.add(
                "stock-quotes", symbol, body | {"symbol": symbol, "fetched_at": fetched // 1000}, fetched, event=event,
                event_id=an_id(symbol, event), currency="USD", mic="XNAS", source="finnhub",
            )


def vietnam(records):
    """Two trading days with running totals, by two providers in turn; the minute bars and daily bars of one of them."""
    days = defaultdict(list)
    for row in rows(RECORDED / "vietnam.csv"):
        days[row["symbol"]].append(row)
    market = {"currency": "VND", "mic": "XSTC"}
    for symbol in ("FPT", "VCB", "SSI"):
        for number, day in enumerate(days[symbol][-2:]):
            total, bars = 0, []
            for minute in [*range(9 * 60 + 15, 11 * 60 + 30), *range(13 * 60, 14 * 60 + 30)]:
                event = millis(2026, 1, 8 + number, minute // 60, minute % 60, SAIGON) + 10 * SECOND
                price = [day["open"], day["low"], day["high"], day["close"]][minute // 40 % 4]
                total += int(day["volume"]) // 225
                body = {"symbol": symbol, "price": Raw(price), "volume": total, "change": 0.1, "timestamp": iso(event + 1_200)}
                records.add(
                    "stock-prices", symbol, body, event + 1_200, event=event, event_id=an_id(symbol, event), **market,
                    source=["vci", "kbs", "dnse"][minute % 3],
                )
                if minute % 5 == 0:
                    board = {
                        "symbol": symbol, "ticker": symbol, "time": iso(event), "price": Raw(price), "volume": 100, "total_volume": total,
                    }
                    records.add("stock-board", symbol, board, event + 900, event=event, event_id=an_id("board", symbol, event), **market)
                bars.append(bar(iso(event - 10 * SECOND)[:-5] + "Z", price, day["volume"], minute))
                # The newest bar is still open and changes with each version.
                body = {"symbol": symbol, "type": "intraday_ohlcv", "data": bars[-3:], "timestamp": iso(event + 1_500)}
                records.add("stock-intraday", symbol, body, event + 1_500, event=event, event_id=an_id("minutes", symbol, event), **market)
                bars[-1] = bar(bars[-1]["Date"], price, day["volume"], minute + 7)
            for hour in (10, 15, 23):
                fetched = millis(2026, 1, 8 + number, hour, zone=SAIGON)
                history = [
                    {name.title(): day[name] if name == "date" else Raw(day[name]) for name in ("date", "open", "high", "low", "close", "volume")}
                    for day in days[symbol][-30:]
                ]
                for at, item in enumerate(reversed(history)):
                    item["Date"] = f"{datetime(2026, 1, 8 + number) - timedelta(days=at):%Y-%m-%d}"
                history[-1]["Close"] = Raw(f"{hour}.5")
                body = {"symbol": symbol, "period_days": 30, "data": history, "timestamp": iso(fetched)}
                records.add("stock-historical", symbol, body, fetched, event=fetched, event_id=an_id("days", symbol, fetched), **market)


def bar(date, price, volume, number):
    price = float(price)
    return {
        "Date": date, "Open": price, "High": price + number % 5, "Low": Raw(f"{price - number % 3:.3f}"), "Close": price + 0.25,
        "Volume": int(volume) // (number + 1),
    }


# Days on which clocks change somewhere, the last of a month, and others.
DAYS = [(2026, 3, 8), (2025, 11, 2), (2026, 2, 27), (2026, 2, 28)]


def number(dice, negative=True):
    """A number with up to 18 decimals; its product with another is below 10^18."""
    choice = dice.random()
    if choice < 0.2:
        return Raw(str(dice.randint(0, 3)))
    whole = str(dice.randint(0, 10 ** dice.randint(0, 8)))
    decimals = "".join(dice.choices("0123456789", k=dice.choice([1, 2, 8, 9, 17, 18])))
    exponent = dice.choice(["e-3", "E2", "e0"]) if choice > 0.95 and len(decimals) < 10 else ""
    sign = "-" if negative and choice > 0.8 else ""
    return Raw(f"{sign}{whole}.{decimals}{'000' if not exponent and choice < 0.3 else ''}{exponent}")


def odd(records, seed, count):
    """Records of every schema in every topic of prices: late, early, twice, out of order, without a time, in two partitions."""
    dice = random.Random(seed)
    places = [("crypto", "USDT"), ("equity", "USD"), ("equity", "VND"), ("fund", None)]
    topics = ["trades_raw", "stock-quotes", "crypto-prices", "stock-prices", "stock-board"]
    for topic in topics:
        for at, (asset_class, currency) in enumerate(places):
            symbol = f"ODD{at}"
            for _ in range(count):
                day = millis(*dice.choice(DAYS))
                # Few minutes, so that they have company; near midnight of some zone, or near an hour.
                event = day + dice.choice([0, 5, 7, 17, 23]) * HOUR + dice.choice([0, 1, 59, 59, 30]) * MINUTE
                event += dice.choice([0, 1, 30_000, 59_999, dice.randint(0, 59_999)])
                age = dice.choice([0, 5, 5_000, MINUTE, HOUR, HOUR, HOUR + 1, 2 * HOUR, 40 * DAY, -5, -MINUTE, -MINUTE - 1])
                one(records, dice, topic, symbol, event, event + age, asset_class=asset_class, currency=currency)


def one(records, dice, topic, symbol, event, fetched, **of):
    partition = dice.choice([0, 0, 1])
    kind = dice.random()
    event_id = dice.choice([None, f"not hexadecimal {event}", an_id(symbol, event), an_id(symbol, event), an_id(dice.random())])
    told = of | {
        "event": event, "event_id": event_id, "source": dice.choice(["a", "b", "c", None]), "mic": dice.choice(["XNAS", None]),
        "symbol": dice.choice([symbol, "OTHER", None]), "partition": partition,
    }
    if kind < 0.03:
        told["event"] = None
    canonical = told.pop("symbol")
    if kind > 0.9:
        # No price has the id of a bar.
        told["event_id"] = event_id and f"bars {event_id}"
        start = event - event % MINUTE
        data = [dict(zip(("Date", "Open", "High", "Low", "Close", "Volume"), [iso(start + at * MINUTE), *(number(dice) for _ in range(5))])) for at in range(dice.randint(0, 3))]
        body = {"symbol": symbol, "type": "intraday_ohlcv", "data": data}
        return put(records, topic, symbol, body, fetched, canonical, **told | {"schema": "stock-intraday/1"})
    schema = f"{topic.replace('_', '-')}/1"
    if kind > 0.7:
        schema = dice.choice(["trades-raw/1", "stock-quotes/1", "crypto-prices/1", "stock-prices/1", "stock-board/1"])
    price, total = number(dice), dice.choice([number(dice, False), None])
    body = {"symbol": symbol} | {
        "trades-raw/1": {"price": price, "size": dice.choice([0, number(dice), number(dice, False)]), "time": event},
        "stock-quotes/1": {"c": price, "t": event // 1000},
        "crypto-prices/1": {"price": price, "event_time": event, "volume": number(dice)},
        "stock-prices/1": {"price": price, "volume": total or 0},
        "stock-board/1": {"price": price, "time": iso(event), "total_volume": total},
    }[schema]
    if dice.random() < 0.03 and schema.startswith(topic.replace("_", "-")):
        # Of a producer that tells nothing: the time is in the message, and Kafka's is that of the fetch.
        return records.add(topic, symbol, body, fetched, partition, meta=False)
    for _ in range(1 + (dice.random() < 0.2)):
        put(records, topic, symbol, body, fetched, canonical, **told | {"schema": schema})
        fetched += dice.choice([0, 0, 1, -1, 5_000, 2 * HOUR])
        told["partition"] = dice.choice([0, 1])


def put(records, topic, symbol, body, fetched, canonical, **told):
    partition = told.pop("partition")
    records.add(topic, symbol, body, fetched, partition, **told)
    # The canonical symbol is whatever the message says.
    value, at, key = records.sent[topic, partition].pop()
    told_symbol = json.dumps(canonical)
    records.sent[topic, partition].append((value.replace(f'"symbol":{json.dumps(symbol)},"asset_class"', f'"symbol":{told_symbol},"asset_class"'), at, key))


def everything(seed, odd_records):
    records = Records()
    for add in (trades, tickers, weekend, vietnam):
        add(records)
    odd(records, seed, odd_records)
    return records


def make(folder, writer, s3, endpoint, seed, odd_records=150):
    """The lake with its bars, copied to the folder `s3/bars` below `folder`."""
    records = everything(seed, odd_records)
    s3.create_dir(BUCKET)
    answers = invoke(writer, list(records.events()), endpoint, BUCKET)
    failed = [answer for answer in answers if answer[0] != "response"]
    assert not failed, failed[0]
    roll = [tool.TOOL, "roll", "--bucket", BUCKET, "--epoch", "1", "--s3-endpoint", endpoint]
    rolled = subprocess.run(roll, capture_output=True, text=True)
    assert rolled.returncode == 0, rolled.stdout + rolled.stderr
    copy(s3, folder / "s3" / BUCKET)
    return sum(map(len, records.sent.values()))


def copy(s3, folder):
    import pyarrow.fs

    for file in s3.get_file_info(pyarrow.fs.FileSelector(BUCKET, recursive=True)):
        if file.is_file:
            path = folder / file.path.split("/", 1)[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            with s3.open_input_stream(file.path, compression=None) as stream:
                path.write_bytes(stream.read())
    odd = list(folder.glob("bronze/epoch=1/_quarantine/**/*.json"))
    assert not odd, f"the writer has quarantined {len(odd)}, such as {odd[0].read_text()[:800]}"
