"""`siphon collect`: what it prints, for people and for scripts."""

import json
from pathlib import Path

import pytest

from fleet import LOG, PROJECT
from siphon.cli import run

STORE = ".codex/sessions/2026/01/02/rollout-1.jsonl"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "far"
    for path in (LOG, f"{PROJECT}/two.jsonl", STORE):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(b"a line\n" * 1000)
    (tmp_path / "siphon.yml").write_text(
        f"archive: archive\nhosts:\n  me: {{home: {home}}}\n  lost: {{home: {tmp_path / 'lost'}}}\n"
    )
    monkeypatch.setenv("SIPHON_CONFIG", str(tmp_path / "siphon.yml"))
    return home


def siphon(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["collect", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_dry_run_says_how_much_of_each_tool_would_come(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = siphon(capsys, "--dry-run", "me")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "me: 3 logs, would fetch 3 (21.0 kB)",
        "  claude_code      2 logs new, 14.0 kB",
        "  codex            1 log new, 7.00 kB",
    ]
    assert not (tmp_path / "archive").exists()
    siphon(capsys, "me")
    with (home / LOG).open("ab") as log:
        log.write(b"more\n")
    lines = siphon(capsys, "--dry-run", "me")[1].splitlines()
    assert lines[1:] == ["  claude_code      1 log grown, 5 B"]


@pytest.mark.usefixtures("home")
def test_a_script_is_told_everything(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = siphon(capsys, "--json")
    me, lost = json.loads(out)
    assert code == 1
    assert (me["host"], me["seen"], me["new"], me["changed"], me["bytes"]) == ("me", 3, 3, 3, 21_000)
    assert (me["reachable"], me["transport"], me["tools"], me["error"]) == (True, "home", "files", None)
    assert (lost["reachable"], lost["seen"]) == (False, None)
    assert lost["error"] in err
    (me,) = json.loads(siphon(capsys, "--json", "--dry-run", "me")[1])
    assert me["planned"] == []


@pytest.mark.usefixtures("home")
def test_people_are_told_a_line_for_each_host(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = siphon(capsys)
    assert code == 1
    assert out.splitlines() == ["me: 3 logs, 3 new (21.0 kB)", "lost: failed"]
    assert err.startswith("siphon: lost: ") and "no such folder" in err
    assert siphon(capsys, "me")[1] == "me: 3 logs, nothing new\n"
