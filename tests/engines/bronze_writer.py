"""A second writer of bronze, independent of the Rust one: the layout that docs/engines.md promises to readers.

A record is its topic, its partition, its offset, its value as JSON text (never parsed and written again, so that digits
and escapes stay), the day of its fetch and the symbol in its key.
"""

import base64
import hashlib
import json
import pathlib

import zstandard

LONGEST = 40
KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")


def encoded_symbol(symbol):
    """The value of `lake_symbol`: no engine takes it for a number, a date or NULL, and no key needs an escape."""
    characters = [
        "".join(chr(byte) if byte in KEPT else f"~{byte:02X}" for byte in character.encode()) for character in symbol
    ]
    whole = "".join(characters)
    if len(whole) <= LONGEST:
        return "_" + whole
    start = ""
    for character in characters:
        if len(start) + len(character) > LONGEST:
            break
        start += character
    return f"_{start}~~{hashlib.sha256(symbol.encode()).hexdigest()[:16]}"


def kafka_member(topic, partition, offset, timestamp, key, headers):
    """What `_kafka` holds, as JSON text."""
    member = {"topic": topic, "partition": partition, "offset": offset, "timestamp": timestamp}
    member.update(text_or_base64(key, "key", "key_base64"))
    member["headers"] = [{"name": name, **text_or_base64(value, "value", "base64")} for name, value in headers]
    return json.dumps(member, ensure_ascii=False, separators=(",", ":"))


def text_or_base64(value, text_name, base64_name):
    if value is None:
        return {text_name: None}
    try:
        return {text_name: value.decode()}
    except UnicodeDecodeError:
        return {text_name: None, base64_name: base64.b64encode(value).decode()}


def line(value, kafka):
    """A line: the value's members as they were published, then `_kafka`."""
    body = value.strip()
    assert body.startswith("{") and body.endswith("}") and "\n" not in body, body[:80]
    comma = "," if body[1:-1].strip() else ""
    return f'{body[:-1]}{comma}"_kafka":{kafka}}}'


class Lake:
    """A folder `bronze`. Each object is given whole."""

    def __init__(self, folder, epoch="1", compression="none"):
        self.folder = pathlib.Path(folder)
        self.epoch = epoch
        self.compression = compression

    def put(self, topic, symbol, date, lines, partition=0, offset=0, hour="060000.000"):
        """Writes an object of `lines`, which are JSON texts with their `_kafka`; returns its path."""
        folder = self.folder.joinpath(
            f"epoch={self.epoch}", f"lake_topic={topic}", f"lake_symbol={encoded_symbol(symbol)}", f"lake_date={date}"
        )
        folder.mkdir(parents=True, exist_ok=True)
        body = "".join(f"{line}\n" for line in lines).encode()
        name = f"{date.replace('-', '')}T{hour}Z-p{partition:03}-o{offset:019}.ndjson"
        if self.compression == "zstd":
            name += ".zst"
            body = zstandard.ZstdCompressor().compress(body)
        path = folder / name
        path.write_bytes(body)
        return path

    def put_what_readers_skip(self, topic):
        """The objects beside the lines; none of them is a line."""
        root = self.folder / f"epoch={self.epoch}"
        for path, text in {
            "_layout.json": '{"layout":2}',
            f"_quarantine/{topic}/p000/o0000000000000000007.json": '{"reason":"not an object","value":"WzFd"}',
            f"_partitions/{topic}/p000.json": '{"c":"not a line"}',
        }.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
