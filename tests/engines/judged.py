"""What is wrong with the rows that an engine gives of a topic; None if nothing is."""

from decimal import Decimal

import judge
import tool
from bronze_writer import encoded_symbol


def place(row):
    """Where a row was in the log, as lakes count."""
    kafka = row.get("_kafka")
    if not isinstance(kafka, dict):
        return None
    return int(kafka["partition"]) * 10**9 + int(kafka["offset"])


def told(lake, topic, rows, epoch=None):
    """Every line has to be there once, each cell as the line says."""
    columns = tool.topics()[topic]
    left = {offset: record for offset, record in lake.records[topic].items() if epoch in (None, record[2])}
    for row in rows:
        if place(row) not in left:
            return f"{place(row)} twice, or of another epoch"
        line, symbol, of_epoch, day = left.pop(place(row))
        folders = (str(row["epoch"]), row["lake_symbol"], str(row["lake_date"]))
        if folders != (of_epoch, encoded_symbol(symbol), day):
            return f"folders {folders}"
        found = judge.wrong(columns, line, row)
        if found:
            return found
    return f"{len(left)} lines are missing" if left else None


def untold(lake, topic, rows):
    """Symbols have to be texts, and numbers numbers of the same value; only those of quotes are looked at."""
    left = dict(lake.records[topic])
    for row in rows:
        if place(row) not in left:
            return "no such line"
        line, symbol, _, _ = left.pop(place(row))
        said = judge.parse(line)
        if row.get("symbol") != symbol or row.get("lake_symbol", encoded_symbol(symbol)) != encoded_symbol(symbol):
            return f"symbol {row.get('symbol')!r} for {symbol!r}"
        for name in ("c", "d", "price", "volume"):
            if isinstance(said.get(name), judge.Number) and not is_number(said[name], row.get(name)):
                return f"{row.get(name)!r} for {said[name]}"
    return f"{len(left)} lines are missing" if left else None


def is_number(written, cell):
    return isinstance(cell, (int, float, Decimal)) and Decimal(str(cell)) == Decimal(written)
