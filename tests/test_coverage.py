"""Coverage: nothing that a tool writes vanishes; what is not read is named, with the reason."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import goldens
from road import Road, copied, road
from siphon.cli import run
from siphon.coverage import types, versions
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.loose import file_loose
from siphon.records import Message, Tally
from siphon.sources import sources

pytest_plugins = ["made_once_fixtures"]

NEW = "made_up_by_a_later_version"


@pytest.fixture(scope="module")
def samples(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Road:
    """The shared samples, filed as loose logs and loaded."""
    fleet = road(tmp_path_factory.mktemp("samples"), {})
    file_loose(fleet.archive, [shared / "samples"])
    fleet.load()
    return fleet


@pytest.fixture(params=["real_road", "samples"])
def real(request: pytest.FixtureRequest) -> Iterator[Road]:
    yield request.getfixturevalue(request.param)


def test_no_type_in_the_real_logs_is_unknown(real: Road) -> None:
    with closing(connect(real.database)) as connection:
        assert [kind for kind in types(connection) if kind.fate == "unknown"] == []


def test_whatever_is_skipped_has_its_reason_in_the_source(real: Road) -> None:
    with closing(connect(real.database)) as connection:
        skipped = [kind for kind in types(connection) if kind.fate == "skipped"]
        assert skipped
        assert [kind for kind in skipped if not kind.reason] == []


def test_what_the_versions_add_up_to_is_what_the_tables_hold(real: Road) -> None:
    with closing(connect(real.database)) as connection:
        found = versions(connection)
        held = connection.execute(
            "select (select count(*) from logs), (select sum(problems) from logs),"
            " (select sum(n) from tallies), (select count(*) from sessions where not hidden),"
            " (select count(*) from sessions where not hidden and started_at is null),"
            " (select count(*) from billed_requests),"
            " (select count(*) from billed_requests where cost_usd is null)"
        ).fetchone()
    names = (
        "logs problems records sessions sessions_without_time requests requests_without_price".split()
    )
    assert tuple(sum(getattr(one, name) for one in found) for name in names) == held
    assert all(
        one.records == one.read_records + one.skipped_records + one.unknown_records for one in found
    )


def test_every_log_says_what_became_of_its_records(real: Road) -> None:
    with closing(connect(real.database)) as connection:
        silent = connection.execute(
            "select host, path from logs where records > 0 and id not in (select log_id from tallies)"
        )
        assert silent.fetchall() == []


def _told(source: str) -> tuple[Path, str] | None:
    """A log of the source's cases, and its home, that is read and has lines that name their type."""
    for case in goldens.cases():
        for home in case.hosts if case.source.name == source else ():
            for path in goldens.logs(case.source, home):
                if path.endswith(".jsonl") and _typed(home / path) is not None:
                    read = goldens.parsed(case.source, home, home.name, path)
                    if any(isinstance(record, Message) for record in read):  # no twin of another log
                        return home, path
    return None


def _typed(file: Path) -> dict[str, Any] | None:
    """The last line with a type."""
    for line in reversed(file.read_bytes().split(b"\n")):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            return value
    return None


LINES = (
    "claude_code codex copilot_cli cursor factory_droid gemini_cli kimi oh_my_pi openclaw openclaude pi"
    " qwen_code traex"
).split()


@pytest.mark.parametrize("source", LINES)
def test_a_line_of_a_new_type_is_unknown_not_lost(source: str, tmp_path: Path) -> None:
    found = _told(source)
    assert found is not None
    home, path = found
    copied(tmp_path / home.name, home)
    with (tmp_path / home.name / path).open("ab") as file:
        new = {**(_typed(home / path) or {}), "type": NEW, "id": NEW, "uuid": NEW}
        file.write(b"\n" + json.dumps(new).encode() + b"\n")
    records = goldens.parsed(sources()[source], tmp_path / home.name, home.name, path)
    unknown = [record for record in records if isinstance(record, Tally) and record.fate == "unknown"]
    assert [tally.n for tally in unknown if NEW in tally.type] == [1]


DOCUMENTS = {
    "amp": "type",
    "antigravity": "type",
    "cline": "say",
    "kilo_code": "say",
    "opencode": "type",
    "roo_code": "say",
    "vscode_copilot": "kind",
}


@pytest.mark.parametrize("source", DOCUMENTS)
def test_a_new_type_inside_a_document_is_unknown_not_lost(source: str, tmp_path: Path) -> None:
    word = re.compile(rf'("{DOCUMENTS[source]}"\s*:\s*)"[A-Za-z_]+"')
    found = set()
    for case in goldens.cases():
        for home in case.hosts if case.source.name == source else ():
            copy = copied(tmp_path / case.name / home.name, home)
            for file in copy.rglob("*.json"):
                file.write_text(word.sub(rf'\1"{NEW}"', file.read_text(errors="replace")))
            for path in goldens.logs(case.source, copy):
                records = goldens.parsed(case.source, copy, home.name, path)
                found |= {(r.fate, NEW in r.type) for r in records if isinstance(r, Tally)}
    assert ("unknown", True) in found
    assert ("read", True) not in found


def test_an_unknown_type_is_told_and_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "home/.pi/agent/sessions/--w--/2026-01-01T00-00-00-000Z_0000.jsonl"
    log.parent.mkdir(parents=True)
    head = {"type": "session", "version": 3, "id": "0000", "cwd": "/w"}
    lines = [{**head, "timestamp": "2026-01-01T00:00:00.000Z"}, {"type": NEW, "id": "a"}]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    fleet = road(tmp_path, {"laptop": tmp_path / "home"})
    fleet.go()
    config = tmp_path / "siphon.yml"
    config.write_text(f"archive: {fleet.config.archive}\ndatabase: {fleet.database}\n")

    assert run(["--config", str(config), "coverage"]) == 0
    told = capsys.readouterr()
    assert f"siphon: Pi (version not told): {NEW!r} is unknown: 1 record in 1 log not read\n" == told.err

    assert run(["--config", str(config), "coverage", "pi", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["unknown"] == [
        {
            "source": "pi", "version": None, "type": NEW, "fate": "unknown", "records": 1, "logs": 1,
            "reason": None,
        }
    ]  # fmt: skip
    (pi,) = found["versions"]
    assert (pi["title"], pi["logs"], pi["records"], pi["unknown_types"]) == ("Pi", 1, 2, 1)
    assert {kind["type"] for kind in pi["types"]} == {"session", NEW}

    assert run(["--config", str(config), "coverage", "pi"]) == 0
    assert f"{NEW}  unknown" in capsys.readouterr().out
    assert run(["--config", str(config), "coverage", "zed"]) == 0
    assert "no log of Zed is loaded" in capsys.readouterr().out


def test_a_tool_that_is_not_read_is_told_with_those_that_are(samples: Road) -> None:
    with closing(connect(samples.database)) as connection, pytest.raises(SiphonError, match="amp, anti"):
        versions(connection, "grok")


def test_the_reasons_are_sentences_not_marks() -> None:
    assert [
        (source.name, kind)
        for source in sources().values()
        for kind, reason in source.skips.items()
        if not reason.strip()
    ] == []
