"""pyarrow and DataFusion, whose types are Arrow's. They are told by what `quotelake sql --json` prints."""

import glob
from datetime import timedelta

import datafusion
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.json

import tool
from judge import EPOCH, LAST, as_text

TYPES = {
    "text": pa.string(),
    "decimal": pa.decimal128(38, 10),
    "integer": pa.int64(),
    "time": pa.timestamp("ms", "UTC"),
    "epoch_milliseconds": pa.int64(),
    "epoch_seconds": pa.int64(),
    "date": pa.string(),
    "list of text": pa.list_(pa.string()),
}
# A line has to fit in a block.
BLOCK = 1 << 26
FOLDERS = ("epoch", "lake_topic", "lake_symbol", "lake_date")


def store(endpoint):
    """The client of an S3 server."""
    return pyarrow.fs.S3FileSystem(
        access_key="test", secret_key="test", endpoint_override=endpoint, region="us-east-1", allow_bucket_creation=True
    )


def schema(columns):
    return pa.schema([pa.field(column["name"], type_of(column)) for column in columns])


def type_of(column):
    if column["type"] in TYPES:
        return TYPES[column["type"]]
    members = pa.struct([pa.field(member["name"], type_of(member)) for member in column["members"]])
    return members if column["type"] == "object" else pa.list_(members)


def rows(table, columns):
    """With times for what is read as whole numbers."""
    units = {"epoch_milliseconds": "milliseconds", "epoch_seconds": "seconds"}
    epochs = {column["name"]: units[column["type"]] for column in columns if column["type"] in units}
    made = []
    for row in table.to_pylist():
        for name, unit in epochs.items():
            if row[name] is not None:
                most = LAST * (1000 if unit == "milliseconds" else 1)
                row[name] = EPOCH + timedelta(**{unit: row[name]}) if 0 <= row[name] < most else None
        made.append(as_text(row))
    return made


class Pyarrow:
    NAME = "pyarrow"

    def untold(self, lake, topic):
        objects = sorted(glob.glob(f"{lake.folder}/epoch=*/lake_topic={topic}/*/*/*.ndjson*"))
        dataset = ds.dataset(objects, format="json", partitioning="hive", partition_base_dir=str(lake.folder))
        return as_text(dataset.to_table().to_pylist())

    def told(self, lake, topic, *options):
        epoch = options[1] if options else "*"
        objects = sorted(glob.glob(f"{lake.folder}/epoch={epoch}/lake_topic={topic}/*/*/*.ndjson*"))
        return self.read(objects, topic, str(lake.folder), None)

    def on_s3(self, topic, endpoint):
        s3 = store(endpoint)
        files = s3.get_file_info(pyarrow.fs.FileSelector("lake/bronze", recursive=True))
        objects = [file.path for file in files if f"/lake_topic={topic}/" in file.path and file.is_file]
        return self.read(objects, topic, "lake/bronze", s3)

    def read(self, objects, topic, folder, filesystem):
        columns = tool.topics()[topic]
        types = schema(columns)
        parse = pyarrow.json.ParseOptions(explicit_schema=types, unexpected_field_behavior="ignore")
        json = ds.JsonFileFormat(parse_options=parse, read_options=pyarrow.json.ReadOptions(block_size=BLOCK))
        folders = ds.partitioning(pa.schema([(name, pa.string()) for name in FOLDERS]), flavor="hive")
        types = pa.schema([*types, *((name, pa.string()) for name in FOLDERS)])
        dataset = ds.dataset(
            objects, types, json, filesystem=filesystem, partitioning=folders, partition_base_dir=folder
        )
        return rows(dataset.to_table(), columns)


class DataFusion:
    NAME = "DataFusion"

    def untold(self, lake, topic):
        context = datafusion.SessionContext()
        context.register_json("lines", f"{lake.folder}/epoch=1/lake_topic={topic}/", file_extension=".ndjson")
        return as_text(context.sql("select * from lines").to_arrow_table().to_pylist())

    def told(self, lake, topic, *options):
        columns, context = tool.topics()[topic], datafusion.SessionContext()
        packed = glob.glob(f"{lake.folder}/**/*.zst", recursive=True)
        context.register_json(
            "lines",
            f"{lake.folder}/",
            schema(columns),
            file_extension=".ndjson.zst" if packed else ".ndjson",
            file_compression_type="zstd" if packed else None,
            table_partition_cols=[(name, pa.string()) for name in FOLDERS],
        )
        only = f" and epoch = '{options[1]}'" if options else ""
        table = context.sql(f"select * from lines where lake_topic = '{topic}'{only}").to_arrow_table()
        return rows(table, columns)
