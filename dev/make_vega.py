"""Write plugins/static/vega/: vega-embed and all that it needs as one script, licences, a README.

For development only: needs npm. `python dev/make_vega.py`. Of what these packages need themselves npm
takes the newest; the README says which that was.
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

PACKAGES = {"vega": "6.4.0", "vega-lite": "6.5.0", "vega-embed": "7.3.0", "esbuild": "0.28.2"}
TO = Path(__file__).resolve().parent.parent / "plugins" / "static" / "vega"
SCRIPT = "vega-embed.js"
ENTRY = 'export { default as embed } from "vega-embed";\n'
INSIDE = ("delaunator", "fast-json-patch", "robust-predicates", "semver", "tslib")  # that others took in
BUNDLE = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--charset=utf8")
LICENCE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)

README = """\
# Not ours: vega-embed and what it needs

`{script}` is vega-embed with Vega, Vega-Lite and Vega's expression interpreter, made of the npm packages
below by esbuild {esbuild}
(`{options}`), nothing changed.
`python dev/make_vega.py` makes it anew. `LICENSES.txt` holds the licence of each.

The home page fetches it after its first paint, and draws with `ast: true`: expressions of charts are
interpreted, never compiled, so the Content-Security-Policy needs no `unsafe-eval`.

| package | version | licence |
|---|---|---|
"""


class Package(NamedTuple):
    """An npm package in the script."""

    name: str
    version: str
    licence: str  # its short name
    text: str  # of it


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="siphon-vega-") as name:
        folder = Path(name)
        wanted = [f"{package}@{version}" for package, version in PACKAGES.items()]
        (folder / "package.json").write_text("{}")
        _run(folder, "npm", "install", "--silent", "--ignore-scripts", *wanted)
        (folder / "entry.js").write_text(ENTRY)
        esbuild = str(folder / "node_modules" / ".bin" / "esbuild")
        told = ("--legal-comments=none", "--metafile=meta.json", f"--outfile={SCRIPT}")
        _run(folder, esbuild, "entry.js", *BUNDLE, *told)
        inputs = json.loads((folder / "meta.json").read_text())["outputs"][SCRIPT]["inputs"]
        _write((folder / SCRIPT).read_text(), [_package(folder, one) for one in _names(inputs)])


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True)


def _names(inputs: dict[str, object]) -> list[str]:
    found = (re.search(r"node_modules/((?:@[^/]+/)?[^/]+)/", path) for path in inputs)
    return sorted({one[1] for one in found if one} | set(INSIDE))


def _package(folder: Path, name: str) -> Package:
    place = folder / "node_modules" / name
    told = json.loads((place / "package.json").read_text())
    texts = [path for path in sorted(place.iterdir()) if LICENCE.match(path.name) and path.is_file()]
    if not texts:
        raise SystemExit(f"{name} has no licence beside it")
    text = "\n".join(path.read_text().strip() for path in texts)
    return Package(name, told["version"], told["license"], text)


def _write(script: str, packages: list[Package]) -> None:
    TO.mkdir(exist_ok=True)
    (TO / SCRIPT).write_text(script)
    texts = (f"{one.name} {one.version} ({one.licence})\n\n{one.text}\n" for one in packages)
    (TO / "LICENSES.txt").write_text(f"\n{'-' * 78}\n\n".join(texts))
    head = README.format(script=SCRIPT, esbuild=PACKAGES["esbuild"], options=" ".join(BUNDLE))
    rows = (f"| {one.name} | {one.version} | {one.licence} |\n" for one in packages)
    (TO / "README.md").write_text(head + "".join(rows))
    print(f"{SCRIPT}: {len(script):,} characters of {len(packages)} packages")


if __name__ == "__main__":
    main()
