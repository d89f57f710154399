"""Arrow streams with compressed record batches: python scripts/goldens/arrow_streams.py

Needs pyarrow. Writes packages/data-pipeline/testing/goldens/{lz4,zstd}.arrow.
"""

from pathlib import Path

import pyarrow
from pyarrow import ipc

OUT = Path(__file__).parent.parent.parent / "packages" / "data-pipeline" / "testing" / "goldens"


def main():
    table = pyarrow.table({"text": ["grün 🐋 " * 20, "b", None, "c" * 300], "n": [1, 2, 3, 4]})
    for codec in ("lz4", "zstd"):
        options = ipc.IpcWriteOptions(compression=codec)
        with ipc.new_stream(OUT / f"{codec}.arrow", table.schema, options=options) as writer:
            writer.write_table(table)


if __name__ == "__main__":
    main()
