"""DuckDB."""

import pathlib
import re

import duckdb

import judge
import lakes
import tool
from judge import as_text


class DuckDB:
    NAME = "DuckDB"

    def untold(self, lake, topic):
        objects = f"{lake.folder}/epoch=*/lake_topic={topic}/*/*/*.ndjson*"
        return rows(duckdb.connect().sql(f"select * from read_json('{objects}')"))

    def told(self, lake, topic, *options):
        connection = duckdb.connect()
        connection.execute(tool.sql("--engine", "duckdb", "--topic", topic, *lake.options, *options))
        return rows(connection.sql(f"select * from {tool.view(topic)}"))

    def bars(self, text):
        connection = duckdb.connect()
        # Another zone than UTC: no time may depend on it.
        connection.execute("set timezone = 'Asia/Ho_Chi_Minh'")
        connection.execute(text)
        return lambda view: plain_rows(connection.sql(f"select * from {view}"))

    def more(self, folder):
        """The commands of README.md, on a lake in which everything is odd that may be."""
        readme = pathlib.Path("README.md").read_text()
        query = re.search(r"sql --engine duckdb.*?```sql\n(.*?)```", readme, re.DOTALL)[1]
        lake = lakes.of_everything(folder / "readme")
        connection = duckdb.connect()
        connection.execute(tool.sql("--engine", "duckdb", *lake.options))
        said = {}
        for line, symbol, _, _ in lake.records["stock-quotes"].values():
            price = judge.parse(line)["c"]
            values = judge.decimals(price) if isinstance(price, judge.Number) else [None]
            said.setdefault(symbol, []).append(values[0])
        expected = {
            (symbol, len(prices), max((price for price in prices if price is not None), default=None))
            for symbol, prices in said.items()
        }
        rows = set(connection.sql(query).fetchall())
        assert rows == expected, rows ^ expected
        of_one = "explain analyze " + query.replace("group by", "where lake_symbol = '_S07' group by")
        assert "Scanning Files: 1/" in connection.sql(of_one).fetchall()[0][1], "docs/engines.md: a symbol's objects alone"


def plain_rows(relation):
    return [dict(zip(relation.columns, row)) for row in relation.fetchall()]


def rows(relation):
    names = relation.columns
    return [as_text(dict(zip(names, row))) for row in relation.fetchall()]
