#!/usr/bin/env python3
"""Derives stocks.csv and crypto.csv from the original recordings.

    python3 derive.py ORIGINALS

ORIGINALS is a folder that holds `stocks.csv.gz`, `spot_btcusdt_20240808.gz` and `spot_ethusdt_20240808.gz`
at any depth; README.md names where each comes from. The output is written beside this script, and the same
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
}
STOCKS = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
FIRST_DATE, LAST_DATE = "2012-05-18", "2013-03-01"
CRYPTO = {"BTCUSDT": "spot_btcusdt_20240808.gz", "ETHUSDT": "spot_ethusdt_20240808.gz"}
SECOND_IN_NS = 1_000_000_000


def main(originals, output):
    write(output / "stocks.csv", "date,symbol,open,high,low,close", stock_rows(find(originals, "stocks.csv.gz")))
    write(
        output / "crypto.csv",
        "time_ms,symbol,last,last_qty,bid,bid_qty,ask,ask_qty,"
        "volume,quote_volume,count,first_id,last_id,high,low,open",
        crypto_rows(originals),
    )


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
