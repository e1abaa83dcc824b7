"""What `quotelake sql` prints."""

import functools
import json
import subprocess

# The program; whoever runs this module says which.
TOOL = "target/debug/quotelake"


def sql(*options):
    return subprocess.run([TOOL, "sql", *map(str, options)], check=True, capture_output=True, text=True).stdout


@functools.cache
def topics():
    """Each topic's columns."""
    lines = map(json.loads, sql("--json").splitlines())
    return {line["topic"]: line["columns"] for line in lines}


def view(topic):
    return topic.replace("-", "_")
