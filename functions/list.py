#!/usr/bin/env python3
"""Prints the functions: the programs of the packages in this folder, one per line.

  functions/list.py                  their names
  functions/list.py feature NAME     those whose package has this feature
  functions/list.py metadata KEY     each with what its Cargo.toml says under [package.metadata.function]
"""
import json
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent


def packages():
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(command, cwd=FOLDER.parent, check=True, stdout=subprocess.PIPE).stdout
    for package in json.loads(metadata)["packages"]:
        if pathlib.Path(package["manifest_path"]).parent.parent == FOLDER:
            yield package


def main(asked=None, name=None):
    for package in packages():
        programs = [target["name"] for target in package["targets"] if "bin" in target["kind"]]
        for program in programs:
            if asked == "metadata":
                print(program, package["metadata"]["function"][name])
            elif asked is None or name in package["features"]:
                print(program)


main(*sys.argv[1:])
