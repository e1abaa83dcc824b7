"""Daft."""

import daft

from judge import as_text

class Daft:
    NAME = "Daft"
    # It guesses by one object, by chance another each time.
    GUESSES = 12

    def untold(self, lake, topic):
        objects = f"{lake.folder}/epoch=*/lake_topic={topic}/*/*/*.ndjson*"
        return as_text(daft.read_json(objects, hive_partitioning=True).to_pylist())

    def more(self, folder):
        """docs/engines.md: its reader of JSON has no decimals, so it can't be told the types."""
        path = folder / "daft.ndjson"
        path.write_text('{"c":1.25}\n')
        for decimals, fails in (({"c": daft.DataType.float64()}, False), ({"c": daft.DataType.decimal128(38, 10)}, True)):
            try:
                daft.read_json(str(path), infer_schema=False, schema=decimals).to_pylist()
                assert not fails, "Daft reads decimals: docs/engines.md has to say so"
            except daft.exceptions.DaftCoreException:
                assert fails
