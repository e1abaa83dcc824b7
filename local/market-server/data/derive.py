#!/usr/bin/env python3
"""Derives stocks.csv, crypto.csv and vietnam.csv from the original recordings.

    python3 derive.py ORIGINALS

ORIGINALS is a folder that holds `stocks.csv.gz`, `spot_btcusdt_20240808.gz`, `spot_ethusdt_20240808.gz` and the
ten files of VIETNAM at any depth; README.md names where each comes from. The output is written beside this script, and the same
input always gives the same bytes. Needs Python 3.9 and nothing else.
"""

import csv
import gzip
import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path

SHA256 = {
    "stocks.csv.gz": "5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd",
    "spot_btcusdt_20240808.gz": "5d263f4c5379cfc27379ef0e22779aa33804463d1b69c292e9c0714e31f2e1b4",
    "spot_ethusdt_20240808.gz": "179a67651ec90f8d299c033f85df29027315a30a738eae74a1388d560f80a737",
    "ACB.csv": "235184d3caa7fdc7a992ba877b7851624962d87201b4a50300a97be3355f8f0e",
    "BID.csv": "f4351120ea22fd767334f847afbbadce6ac01aa88fd870c8850509d33ee6281a",
    "FPT.csv": "883f77cfa65867c086bcce1a7a2b8d54623aa3c1b6539c0358f2ebe2ef534750",
    "GAS.csv": "431b3ecb7bd6eb71850bd3347101bb60b06b6778e5ad1c45a2c58925fccfcf29",
    "HPG.csv": "d1f4e03fe124e623651627606fb62bee9382ab07121eaf3ef653e1d29438aad2",
    "MWG.csv": "46e15c496b5d0f482c7df8fc8983373c1f30c1d6f9b42d87ff2c635d7ad47cc4",
    "SSI.csv": "4c67f56b418e5db9ba3dd04f09e5c2bb08c27c7aecf161fd36dfd187f03c1a0d",
    "STB.csv": "716dd9aaac7d105f11009e78b80e0ebf980a3b22e2adfd8a998459ff680b03c5",
    "VCB.csv": "f0488974d8ed2585b6b0c3f457dc132bd4fb59cc9c57a040e897a1a37fb233b1",
    "VNM.csv": "05d0b798c18adcd8f856027c7e094d3407d5d5500a1b0c7533992e4a4a5179cc",
}
STOCKS = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
FIRST_DATE, LAST_DATE = "2012-05-18", "2013-03-01"
CRYPTO = {"BTCUSDT": "spot_btcusdt_20240808.gz", "ETHUSDT": "spot_ethusdt_20240808.gz"}
VIETNAM = ["ACB", "BID", "FPT", "GAS", "HPG", "MWG", "SSI", "STB", "VCB", "VNM"]
VIETNAM_DAYS = 420
SECOND_IN_NS = 1_000_000_000


def main(originals, output):
    write(output / "stocks.csv", "date,symbol,open,high,low,close", stock_rows(find(originals, "stocks.csv.gz")))
    write(
        output / "crypto.csv",
        "time_ms,symbol,last,last_qty,bid,bid_qty,ask,ask_qty,"
        "volume,quote_volume,count,first_id,last_id,high,low,open",
        crypto_rows(originals),
    )
    write(output / "vietnam.csv", "date,symbol,open,high,low,close,volume", vietnam_rows(originals))


def find(folder, name):
    for path in sorted(folder.rglob(name)):
        if hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[name]:
            return path
    sys.exit(f"{folder} holds no {name} with the SHA-256 {SHA256[name]}: fetch it as README.md says.")


def write(path, header, rows):
    lines = [header] + [",".join(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")


def stock_rows(path):
    """The bars of STOCKS from FIRST_DATE to LAST_DATE, by date and then symbol, digits untouched."""
    with gzip.open(path, "rt", encoding="ascii", newline="") as lines:
        rows = [
            [bar["Date"], bar["Ticker"], bar["Open"], bar["High"], bar["Low"], bar["Close"]]
            for bar in csv.DictReader(lines)
            if bar["Ticker"] in STOCKS and FIRST_DATE <= bar["Date"] <= LAST_DATE
        ]
    return sorted(rows)


def vietnam_rows(originals):
    """The bars of VIETNAM on its last VIETNAM_DAYS common days, by date and then symbol, digits untouched."""
    bars = {symbol: daily_bars(find(originals, f"{symbol}.csv")) for symbol in VIETNAM}
    common = sorted(set.intersection(*(set(days) for days in bars.values())))
    return [[date, symbol] + bars[symbol][date] for date in common[-VIETNAM_DAYS:] for symbol in VIETNAM]


def daily_bars(path):
    with path.open(encoding="ascii", newline="") as lines:
        columns = ("open", "high", "low", "close", "volume")
        return {bar["date"]: [bar[name] for name in columns] for bar in csv.DictReader(lines)}


def crypto_rows(originals):
    """One row a second and symbol, from the first second at which every symbol has a trade and a quote."""
    seconds = {symbol: states(find(originals, name)) for symbol, name in CRYPTO.items()}
    common = sorted(set.intersection(*(set(rows) for rows in seconds.values())))
    assert common == list(range(common[0], common[-1] + 1)), "the recordings have no gap"
    return [[str(second * 1000), symbol] + seconds[symbol][second] for second in common for symbol in CRYPTO]


def states(path):
    """The state at each whole second: every frame that the recorder received before it is applied."""
    rows, trades, quote, second = {}, None, None, None
    with gzip.open(path, "rt", encoding="ascii") as frames:
        for frame in frames:
            received, raw = frame.split(" ", 1)
            ends = int(received) // SECOND_IN_NS + 1
            for passed in range(second or ends, ends):
                if trades and quote:
                    rows[passed] = row(trades, quote)
            second = ends
            message = json.loads(raw)
            stream = message.get("stream", "")  # the recorder's one depth snapshot has none
            if stream.endswith("@trade"):
                trades = traded(trades, message["data"])
            elif stream.endswith("@bookTicker"):
                quote = [message["data"][name] for name in ("b", "B", "a", "A")]
    rows[second] = row(trades, quote)
    return rows


def traded(before, trade):
    price, quantity, number = Decimal(trade["p"]), Decimal(trade["q"]), trade["t"]
    if before is None:
        before = {
            "volume": Decimal(0), "quote_volume": Decimal(0), "count": 0,
            "first_id": number, "last_id": number - 1, "high": price, "low": price, "open": price,
        }
    assert number == before["last_id"] + 1, "the recording misses no trade"
    return before | {
        "last": price,
        "last_qty": quantity,
        "volume": before["volume"] + quantity,
        "quote_volume": before["quote_volume"] + price * quantity,
        "count": before["count"] + 1,
        "last_id": number,
        "high": max(before["high"], price),
        "low": min(before["low"], price),
    }


def row(trades, quote):
    return (
        [eight_decimals(trades[name]) for name in ("last", "last_qty")]
        + quote
        + [eight_decimals(trades[name]) for name in ("volume", "quote_volume")]
        + [str(trades[name]) for name in ("count", "first_id", "last_id")]
        + [eight_decimals(trades[name]) for name in ("high", "low", "open")]
    )


def eight_decimals(value):
    """As Binance writes an amount. Nothing is rounded: price times quantity has at most 8 decimals here."""
    text = value.quantize(Decimal("0.00000001"))
    assert text == value
    return str(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(__file__).parent)
