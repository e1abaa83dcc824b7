"""A worker of Kafka Connect with Debezium's JDBC sink: a connector for each topic, in upsert mode by Kafka's coordinates."""

import json

from processes import Process, free_port
from servers import java

WORKER = {
    "offset.flush.interval.ms": 10000,
    "plugin.discovery": "hybrid_warn",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "consumer.auto.offset.reset": "earliest",
}
CONNECTOR = {
    "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "connection.username": "postgres",
    "connection.password": "none",
    "collection.name.format": "realtime_quotes",
    "insert.mode": "upsert",
    "primary.key.mode": "kafka",
    "schema.evolution": "none",
}
# The names that `primary.key.mode` gives to the coordinates.
COORDINATES = {"topic": "__connect_topic", "partition": "__connect_partition", "offset": "__connect_offset"}

NUMBER = {"type": "double", "optional": True}
COUNT = {"type": "int64", "optional": True}
TEXT = {"type": "string", "optional": False}


def schema(**fields):
    return json.dumps({"type": "struct", "fields": [{"field": name, **form} for name, form in fields.items()]})


# The records are plain JSON. The sink wants a schema, which Connect's converter takes from here since Kafka 4.2, instead of from
# an envelope around each value. Members that it does not name, such as `meta`, are read and dropped.
TOPICS = {
    "stock-board": {
        "value.converter.schema.content": schema(
            ticker=TEXT,
            time={"type": "string", "optional": True, "name": "io.debezium.time.ZonedTimestamp"},
            price=NUMBER,
            volume=COUNT,
            total_volume=COUNT,
            change=NUMBER,
            change_percent=NUMBER,
            ceiling_price=NUMBER,
            floor_price=NUMBER,
            reference_price=NUMBER,
            highest_price=NUMBER,
            lowest_price=NUMBER,
            bid_price=NUMBER,
            ask_price=NUMBER,
        )
    },
    "stock-quotes": {
        "value.converter.schema.content": schema(
            symbol=TEXT, t=COUNT, c=NUMBER, d=NUMBER, dp=NUMBER, pc=NUMBER, h=NUMBER, l=NUMBER
        ),
        "transforms": "time,names",
        "transforms.time.type": "org.apache.kafka.connect.transforms.TimestampConverter$Value",
        "transforms.time.field": "t",
        "transforms.time.target.type": "Timestamp",
        "transforms.time.unix.precision": "seconds",
        "transforms.names.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
        "transforms.names.renames": "symbol:ticker,t:time,c:price,d:change,dp:change_percent,pc:reference_price,"
        "h:highest_price,l:lowest_price",
    },
}

# A poll as large as the batch, whose default is 500 too, and larger answers of the broker.
LARGE = {
    "batch.size": 3000,
    "consumer.override.max.poll.records": 3000,
    "consumer.override.max.partition.fetch.bytes": 4194304,
    "consumer.override.fetch.min.bytes": 1048576,
}
# The driver makes one statement of many rows.
REWRITE = "?reWriteBatchedInserts=true"
# The sink makes one statement of a batch, off by default. It fails by the key mode `kafka`, so the coordinates become members.
UNNEST = {
    "dialect.postgres.unnest.insert.enabled": "true",
    "primary.key.mode": "record_value",
    "primary.key.fields": ",".join(COORDINATES.values()),
    "transforms.coordinates.type": "org.apache.kafka.connect.transforms.InsertField$Value",
    **{f"transforms.coordinates.{part}.field": name for part, name in COORDINATES.items()},
}


def properties(values):
    return "".join(f"{name}={value}\n" for name, value in values.items())


def start(jars, folder, brokers, server, more, parameters=""):
    """A worker that runs both connectors; `server` is host, port and database."""
    files = [folder / "worker.properties"]
    own = {
        "bootstrap.servers": brokers,
        "listeners": f"http://127.0.0.1:{free_port()}",
        "offset.storage.file.filename": folder / "offsets",
    }
    files[0].write_text(properties(WORKER | own))
    for topic, of_topic in TOPICS.items():
        connector = CONNECTOR | of_topic | more | {"topics": topic, "name": f"{server}-{topic}".replace("/", "-")}
        connector["connection.url"] = f"jdbc:postgresql://{server}{parameters}"
        if "transforms.coordinates.type" in more:
            connector["transforms"] = ",".join([*of_topic.get("transforms", "").split(), "coordinates"])
        files.append(folder / f"{topic}.properties")
        files[-1].write_text(properties(connector))
    # As Kafka's own script of it starts Java.
    run = java(jars, "-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true")
    return Process([*run, "org.apache.kafka.connect.cli.ConnectStandalone", *files], folder / "log")
