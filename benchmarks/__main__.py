"""`python -m benchmarks load|collect|pages|usage|peers|parse`: measure, print a table for the README."""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from benchmarks.generate import generate

BENCHES = ("load", "unchanged", "collect", "parse", "pages", "usage", "peers")


def main() -> None:
    """Run one benchmark (or all) on a corpus given or made."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("bench", nargs="?", choices=(*BENCHES, "all"), default="load")
    parser.add_argument("--corpus", type=Path, help="homes made by generate.py; else one is made")
    parser.add_argument("--megabytes", type=float, default=400)
    parser.add_argument("--keep", type=Path, help="work in this folder, and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="siphon-bench-") as temporary:
        folder = options.keep or Path(temporary)
        corpus = options.corpus or folder / "corpus"
        # The pages' database is made without logs (benchmarks/large.py).
        if options.bench != "pages" and not (corpus / "truth.json").exists():
            print(f"making {options.megabytes:g} MB of logs in {corpus} …", file=sys.stderr)
            generate(corpus, options.megabytes)
        for name in BENCHES if options.bench == "all" else (options.bench,):
            work = folder / name
            work.mkdir(parents=True, exist_ok=True)
            print(f"\n| {name} | |\n|---|---|")
            for what, figure in importlib.import_module(f"benchmarks.{name}").bench(corpus, work):
                print(f"| {what} | {figure} |", flush=True)


if __name__ == "__main__":
    main()
