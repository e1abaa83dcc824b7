"""Polars."""

import os

import polars as pl

import tool
from judge import as_text


class Polars:
    NAME = "Polars"

    def untold(self, lake, topic):
        return rows(pl.scan_ndjson(f"{lake.folder}/epoch=*/lake_topic={topic}/*/*/*.ndjson*").collect())

    def told(self, lake, topic, *options):
        names = {}
        exec(tool.sql("--engine", "polars", "--topic", topic, *lake.options, *options), names)
        return rows(names[tool.view(topic)])

    def on_s3(self, topic, endpoint):
        os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        names = {}
        exec(tool.sql("--engine", "polars", "--topic", topic, "--bucket", "lake", "--s3-endpoint", endpoint), names)
        return rows(names[tool.view(topic)])


def rows(frame):
    return [as_text(row) for row in frame.iter_rows(named=True)]
