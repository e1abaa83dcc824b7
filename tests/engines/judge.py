"""What a cell has to be, by Python's json and decimal: the judge of every engine.

A column is as `quotelake sql --json` prints it: a name, a type, and the members of an object.
"""

import decimal
import json
import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

decimal.getcontext().prec = 500
decimal.getcontext().Emax, decimal.getcontext().Emin = decimal.MAX_EMAX, decimal.MIN_EMIN

TENTH = Decimal("1e-10")
LARGEST = Decimal(10) ** 28
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TIME = re.compile(r"(19|20|21)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d\d\d)?Z")
DAY = re.compile(r"(19|20|21)\d\d-\d\d-\d\d")
# What a clock of every engine can hold.
FIRST, LAST = -2_208_988_800, 4_102_444_800


class Number(str):
    """A number as it is written."""


def parse(line):
    return json.loads(line, parse_int=Number, parse_float=Number)


def wrong(columns, line, row):
    """The path of the first cell of `row` that `line` does not say, with both; None if all are right."""
    members = parse(line)
    return wrong_object(columns, members, row, "")


def wrong_object(columns, members, row, path):
    for column in columns:
        found = wrong_cell(column, members.get(column["name"]), row[column["name"]], f"{path}{column['name']}")
        if found:
            return found
    return None


def wrong_cell(column, value, cell, path):
    kind = column["type"]
    if kind == "object":
        # What is no object is null, or an object of nulls.
        members = value if isinstance(value, dict) else {}
        if cell is None:
            return f"{path}: null for {value!r}" if members else None
        return wrong_object(column["members"], members, cell, f"{path}.")
    if kind == "list of objects":
        return wrong_list(column, value, cell, path)
    expected = expect(kind, value)
    if cell in expected or expected == [ANY]:
        return None
    return f"{path}: {str(cell)[:80]!r} for {str(value)[:80]!r}"


def wrong_list(column, value, cell, path):
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        # What is no list of objects is null, an empty list or what of it is an object.
        return None
    # ClickHouse leaves out an object that has none of the members.
    names = {member["name"] for member in column["members"]}
    if cell is not None and len(cell) < len(value):
        value = [item for item in value if names & set(item)]
    if value and (cell is None or len(cell) != len(value)):
        return f"{path}: {str(cell)[:80]} for {len(value)} objects"
    for index, item in enumerate(value):
        found = wrong_object(column["members"], item, cell[index], f"{path}[{index}].")
        if found:
            return found
    return None


ANY = object()


def expect(kind, value):
    """What the cell may be. A value of another type than the column's is null, or what the engine makes of its text."""
    if value is None:
        return [None, []]
    is_number = isinstance(value, Number)
    if kind == "text" and isinstance(value, str) and not is_number:
        return [value]
    if kind == "decimal" and is_number:
        return decimals(value)
    if kind == "integer" and is_number and value.lstrip("-").isdigit():
        return [int(value) if -(2**63) <= int(value) < 2**63 else None]
    if kind == "epoch_milliseconds" and is_number and value.isdigit() and int(value) < LAST * 1000:
        return [as_text(EPOCH + timedelta(milliseconds=int(value)))]
    if kind == "epoch_seconds" and is_number and value.isdigit() and int(value) < LAST:
        return [as_text(EPOCH + timedelta(seconds=int(value)))]
    if kind == "time" and isinstance(value, str) and TIME.fullmatch(value):
        return [value if "." in value else f"{value[:-1]}.000Z"]
    if kind == "date" and isinstance(value, str) and DAY.fullmatch(value):
        return [value]
    if kind == "list of text" and isinstance(value, list) and all(type(item) is str for item in value):
        return [value]
    return [ANY]


def decimals(written):
    """The number itself. Decimals beyond the tenth are rounded or cut, and what has no 28 digits before the point is null."""
    number = Decimal(written)
    cut = number.quantize(TENTH, rounding=decimal.ROUND_DOWN)
    rounded = [cut] if cut == number else [cut, cut + TENTH.copy_sign(number)]
    values = [value if abs(value) < LARGEST else None for value in rounded]
    mantissa, _, exponent = written.lower().partition("e")
    length = len(re.sub("[^0-9]", "", mantissa)) + abs(int(exponent or 0))
    # Engines give up on long ones with an exponent, though their value may be small.
    return values + [None] if exponent and length > 28 else values


def as_text(cell):
    """A cell with times and days as the messages write them, so that engines can be compared."""
    if isinstance(cell, datetime):
        utc = cell.replace(tzinfo=timezone.utc) if cell.tzinfo is None else cell.astimezone(timezone.utc)
        return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, dict):
        return {name: as_text(member) for name, member in cell.items()}
    if isinstance(cell, list):
        return [as_text(item) for item in cell]
    return cell
