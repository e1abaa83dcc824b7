"""Packs a program as the code of a Lambda function, without its symbols.

package.py PROGRAM PACKAGE
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile


def package(program, output):
    with tempfile.TemporaryDirectory() as folder:
        bootstrap = shutil.copy(program, folder + "/bootstrap")
        if shutil.which("strip"):
            subprocess.run(["strip", bootstrap], check=True)
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(output, "w", compresslevel=1) as archive:
            archive.writestr(entry, pathlib.Path(bootstrap).read_bytes())


if __name__ == "__main__":
    package(*sys.argv[1:])
