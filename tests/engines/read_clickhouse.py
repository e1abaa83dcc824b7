"""ClickHouse, in this process."""

import json
from decimal import Decimal

from chdb.session import Session

import tool

# How the answer has to be written, so that Python reads no float.
WRITTEN = "output_format_json_quote_decimals = 1, output_format_json_quote_64bit_integers = 0"


class ClickHouse:
    NAME = "ClickHouse"

    def untold(self, lake, topic):
        return asked([], f"file('{lake.folder}/epoch=*/lake_topic={topic}/*/*/*.ndjson*', 'JSONEachRow')")

    def told(self, lake, topic, *options):
        snippet = tool.sql("--engine", "clickhouse", "--topic", topic, *lake.options, *options)
        return asked([statement for statement in snippet.split(";\n\n") if statement], tool.view(topic))

    def on_s3(self, topic, endpoint):
        snippet = tool.sql("--engine", "clickhouse", "--topic", topic, "--bucket", "lake", "--s3-endpoint", endpoint)
        snippet = snippet.replace("YOUR_ACCESS_KEY", "test").replace("YOUR_SECRET_KEY", "test")
        return asked([statement for statement in snippet.split(";\n\n") if statement], tool.view(topic))


def asked(statements, table):
    session = Session()
    try:
        for statement in statements:
            session.query(statement)
        return rows(session.query(f"select * from {table} settings {WRITTEN}", "JSONCompactEachRowWithNamesAndTypes"))
    finally:
        session.close()


def rows(answer):
    lines = [json.loads(line) for line in answer.bytes().split(b"\n") if line]
    names, types, body = lines[0], lines[1], lines[2:]
    return [{name: value(cell, kind) for name, kind, cell in zip(names, types, row)} for row in body]


def value(cell, kind):
    """A cell in JSON, by its type's name."""
    if cell is None:
        return None
    for wrapper in ("Nullable(", "LowCardinality("):
        if kind.startswith(wrapper):
            return value(cell, kind[len(wrapper) : -1])
    if kind.startswith("Array("):
        return [value(item, kind[6:-1]) for item in cell]
    if kind.startswith("Tuple("):
        members = dict(split(member) for member in parts(kind[6:-1]))
        return {name: value(cell[name], members[name]) for name in members}
    if kind.startswith("Float"):
        return float(cell)
    if kind.startswith("Decimal"):
        return Decimal(cell)
    if kind.startswith("DateTime64"):
        return f"{cell.replace(' ', 'T')}Z"
    return cell


def parts(text):
    """The members of a tuple's type."""
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield text[start:index].strip()
            start = index + 1
    yield text[start:].strip()


def split(member):
    name, kind = member.split(" ", 1)
    return name.strip("`"), kind
