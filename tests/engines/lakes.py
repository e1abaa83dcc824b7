"""The lakes of the checks, as the second writer leaves them below a data folder."""

import json
import random

import admissible
import tool
from bronze_writer import Lake, kafka_member, line

DAY = "2026-11-21"


class Filled:
    """A lake and what is in it: by topic and offset the line, the symbol, the epoch and the day."""

    def __init__(self, data, epoch="1", compression="none"):
        # As `quotelake up` leaves its bucket.
        self.data = data
        self.options = ("--data", data, "--bucket", "bronze-bucket")
        self.folder = data / "s3" / "bronze-bucket" / "bronze"
        self.lake = Lake(self.folder, epoch, compression)
        self.records = {}
        # The same as a writer gets it.
        self.sent = {}

    def put(self, topic, symbol, bodies, day=DAY, odd_records=False):
        """An object of these values; offsets count up over the topic. Odd records have keys and headers that are no text."""
        of_topic = self.records.setdefault(topic, {})
        first = len(of_topic)
        lines = []
        for offset, body in enumerate(bodies, first):
            key = [symbol.encode(), None, b"", b"\xff\x00"][offset % 4] if odd_records else symbol.encode()
            headers = [("trace", b"1"), ("trace", None), ("", b"\xfe")][: offset % 4] if odd_records else []
            timestamp = 1795242344000 + offset
            lines.append(line(body, kafka_member(topic, 0, offset, timestamp, key, headers)))
            self.sent.setdefault(topic, []).append((offset, body, timestamp, key, headers))
            of_topic[offset] = (lines[-1], symbol, self.lake.epoch, day)
        self.lake.put(topic, symbol, day, lines, offset=first)
        self.lake.put_what_readers_skip(topic)


def quote(symbol, c, more=""):
    """A stock quote of which only the price matters."""
    return f'{{"c":{c},"t":1795242340,"symbol":{json.dumps(symbol, ensure_ascii=False)},"fetched_at":1795242344{more}}}'


def random_lake(data, seed, records, compression="none"):
    """Whatever the writer admits, in every topic."""
    filled = Filled(data, compression=compression)
    dice = random.Random(seed)
    for topic, columns in tool.topics().items():
        kinds = [(column["name"], kind(column)) for column in columns if column["name"] != "_kafka"]
        for symbol in ("AAPL", "BTC/USDT", "1D"):
            bodies = [admissible.record(dice, kinds, symbol) for _ in range(records // 3)]
            for body in bodies:
                admissible.check(body)
            filled.put(topic, symbol, bodies, odd_records=True)
    return filled


def kind(column):
    """What makes a value of a column's type, with odd members now and then where it has some."""
    simple = {
        "text": lambda dice: admissible.quoted(dice, admissible.text(dice)),
        "decimal": admissible.number,
        "integer": lambda dice: str(dice.choice([0, -5, 2**53 + 1, 2**63 - 1, -(2**63), dice.randint(-(10**15), 10**15)])),
        "time": lambda dice: f'"{day(dice)}T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:59{dice.choice(["", ".000", ".123"])}Z"',
        "date": lambda dice: f'"{day(dice)}"',
        "epoch_milliseconds": lambda dice: str(dice.choice([0, 1795242344123, dice.randint(0, 4 * 10**12), 2**63 - 1])),
        "epoch_seconds": lambda dice: str(dice.choice([0, 1795242344, dice.randint(0, 4 * 10**9), 2**63 - 1])),
        "list of text": lambda dice: admissible.array(
            dice, [admissible.quoted(dice, admissible.text(dice)) for _ in range(dice.randint(0, 3))]
        ),
    }
    if column["type"] in simple:
        return simple[column["type"]]
    members = [(member["name"], kind(member)) for member in column["members"]]

    def value(dice):
        return admissible.object_of(dice, members)

    if column["type"] == "object":
        return value
    return lambda dice: admissible.array(dice, [value(dice) for _ in range(dice.randint(0, 4))])


def day(dice):
    return f"20{dice.randint(0, 60):02}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"


DIGITS = [
    "18434253109835476992.0000000000", "9217126554917738496", "0.0000000001", "1234567890123456789012345678.0123456789",
    "9007199254740993.5", "18446744073709551616", "61826.61000000", "1E5", "-0.25",
]
TICKERS = "1D 2F TRUE NAN INF NULL 0050 2330 005930 1E5 BRK.B BTC/USDT BINANCE:BTCUSDT 中文代碼 2026-11-21 a~b%2F".split()
LONG = "A" * 30 + "電" * 15


def whole_prices_first(data):
    filled = Filled(data)
    for number in range(40):
        price = 100 + number if number < 35 else f"{100 + number}.17"
        filled.put("stock-quotes", f"S{number:02}", [quote(f"S{number:02}", price)])
    return filled


def null_first(data):
    filled = Filled(data)
    for number in range(40):
        filled.put("stock-quotes", f"S{number:02}", [quote(f"S{number:02}", "null")])
    filled.put("stock-quotes", "T", [quote("T", 150.25, ',"d":-1.5,"pc":151.75')])
    return filled


def all_digits(data):
    filled = Filled(data)
    filled.put("stock-quotes", "AAPL", [quote("AAPL", number) for number in DIGITS])
    return filled


def tickers(data):
    filled = Filled(data)
    for ticker in [*TICKERS, LONG]:
        filled.put("stock-quotes", ticker, [quote(ticker, 1.25)])
    return filled


def number_tickers(data):
    """No symbol in it looks like a text."""
    filled = Filled(data)
    for ticker in ("0050", "2330", "005930"):
        filled.put("stock-quotes", ticker, [quote(ticker, 1.25)])
    return filled


def odd_records(data):
    """Among sound records some with members of another type, or a number that is too large."""
    filled = Filled(data)
    odd = ['"abc"', "1e300", "[1]", "true", '{"a":1}', "null", '""']
    filled.put("stock-quotes", "AAPL", [quote("AAPL", c) for c in [1.25, *odd, 2.5]])
    sound = '{"symbol":"FPT","type":"intraday_ohlcv","data":[{"Date":"2026-11-20T03:00:00Z","Open":1.5}],"timestamp":"2026-11-20T03:00:00.250Z"}'
    lists = [sound.replace('[{"Date":"2026-11-20T03:00:00Z","Open":1.5}]', odd) for odd in ("7", '"x"', "{}", "null", "[7]")]
    filled.put("stock-intraday", "FPT", [sound, *lists, sound.replace("1.5", '"x"'), sound])
    return filled


def two_histories(data):
    filled = Filled(data, epoch="eu-1")
    filled.put("stock-quotes", "AAPL", [quote("AAPL", 1.25), quote("AAPL", 1.5)])
    filled.lake.epoch = "2"
    filled.put("stock-quotes", "AAPL", [quote("AAPL", 1.75)], day="2026-11-22")
    return filled


def other_members(data):
    """Sound cells, and in members that the topic has not whatever the writer admits."""
    filled = Filled(data)
    dice = random.Random(3)
    sound = [("c", lambda dice: "1.25"), ("fetched_at", lambda dice: "1795242344"), ("symbol", lambda dice: '"AAPL"')]
    bodies = [admissible.object_of(dice, sound, odd=False, extra=8) for _ in range(60)]
    for body in bodies:
        admissible.check(body)
    filled.put("stock-quotes", "AAPL", bodies, odd_records=True)
    return filled


def packed(data):
    filled = Filled(data, compression="zstd")
    for symbol in ("AAPL", "MSFT"):
        filled.put("stock-quotes", symbol, [quote(symbol, 1.25), quote(symbol, 1.5)])
    return filled


def of_everything(data):
    """The quotes of most of the others in one lake, for the query of README.md."""
    filled = whole_prices_first(data)
    for number in range(40):
        filled.put("stock-quotes", f"N{number:02}", [quote(f"N{number:02}", "null")])
    filled.put("stock-quotes", "T", [quote("T", "null"), quote("T", 150.25, ',"d":-1.5,"pc":151.75')])
    for ticker in [*TICKERS, LONG]:
        filled.put("stock-quotes", ticker, [quote(ticker, number) for number in ["0.0000000001", *DIGITS[::-1]]])
    filled.put("stock-quotes", "ODD", [quote("ODD", c) for c in ['"abc"', 2.5, "1e300", '{"a":1}']])
    return filled


def of_a_run(data):
    """What `quotelake up` has left in `data`: every line of its objects, as Python reads them."""
    filled = Filled(data)
    for path in sorted(filled.folder.glob("epoch=*/lake_topic=*/*/*/*.ndjson")):
        epoch, topic, _, day = (part.split("=", 1)[1] for part in path.relative_to(filled.folder).parts[:4])
        for line in path.read_text().split("\n")[:-1]:
            said = json.loads(line)
            # Offsets count up over a partition.
            offset = said["_kafka"]["partition"] * 10**9 + said["_kafka"]["offset"]
            filled.records.setdefault(topic, {})[offset] = (line, said["symbol"], epoch, day)
    return filled
