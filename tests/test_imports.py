"""What is imported when: a load that finds nothing new pays for no tool's reader, and for no pages."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from siphon.folder import Folder
from siphon.log import Log
from siphon.sources import sources

_PAGES = {"rich", "markdown_it", "pygments", "nh3", "datasette", "paramiko", "multiprocessing"}
_SAY = """
import json, sys, msgspec
print(json.dumps([sorted(sys.modules), [one.__module__ for one in msgspec.Struct.__subclasses__()]]))
"""


def _after(*programs: str) -> list[tuple[set[str], set[str]]]:
    """(modules, those of them that have shapes of lines) in a new Python after each of the programs."""
    program = "".join(f"{one}\n{_SAY}" for one in programs)
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"[[")]
    assert len(told) == len(programs)
    return [(set(modules), set(shapes)) for modules, shapes in told]


def _of_tools(modules: Iterable[str]) -> set[str]:
    """The tools among whose modules these are."""
    names = [module.split(".") for module in modules if module.startswith("siphon.sources.")]
    return {parts[2] for parts in names if not parts[2].startswith("_")}


def test_a_tools_reader_is_imported_when_a_log_of_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "rollout-1.jsonl").write_text("{}\n")
    before, after = _after(
        "from siphon.sources import sources\nsources()",
        "from siphon.log import Log\nfrom siphon.folder import Folder\nfrom pathlib import Path\n"
        f"log = Log(Folder(Path({str(tmp_path)!r})), 'box', 'rollout-1.jsonl')\n"
        "list(sources()['codex'].parse(log))",
    )
    assert "siphon.sources.codex" in before[0]
    assert _of_tools(before[1]) == set()
    assert "siphon.sources.codex.reader" not in before[0]
    assert "siphon.sources.codex.reader" in after[0]
    assert _of_tools(after[0] - before[0]) == {"codex"}


def test_a_load_that_finds_nothing_new_imports_no_reader_and_no_pages(tmp_path: Path) -> None:
    log = tmp_path / "home/.codex/sessions/2026/01/02/rollout-1.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("{}\n")
    config = tmp_path / "siphon.yml"
    config.write_text(
        f"archive: {tmp_path / 'archive'}\nhosts: {{box: {{home: {tmp_path / 'home'}}}}}\n"
    )
    for command in ("collect", "load"):
        words = [sys.executable, "-m", "siphon", "--config", str(config), command]
        subprocess.run(words, check=True)
    [(modules, shapes)] = _after(
        f"from siphon.cli import run\nassert run(['--config', {str(config)!r}, 'load']) == 0"
    )
    assert "siphon.load" in modules
    assert _of_tools(shapes) == set()
    assert modules & _PAGES == set()


def test_what_a_source_names_is_there_when_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember the milk\n")
    for source in sources().values():
        source.parse(Log(Folder(tmp_path), "box", "notes.txt"))
        if source.recognise is not None:
            assert source.recognise(Log(Folder(tmp_path), "box", "notes.txt")) is None
        if source.resume is not None:
            assert source.resume("one") is None or "one" in str(source.resume("one"))
