"""Every kind of host in one configuration, with real logs, from sshd and bucket to the database."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from road import Road
from whole_fleet import PUSHED, WholeFleet, whole_fleet

pytest_plugins = ["made_once_fixtures"]

NAMES = ("laptop", "workstation", "server")


def test_every_kind_of_host_collects_loads_and_is_told(
    shared: Path, real_road: Road, tmp_path: Path
) -> None:
    with whole_fleet(tmp_path, shared / "homes") as fleet:
        home = next(path for path in sorted(PUSHED.iterdir()) if path.is_dir())
        words = ("push", "team", "--machine", "ci-7")
        pushed = fleet.run(*words, home=home)
        assert pushed.returncode == 0, pushed.stderr
        collected = fleet.run("collect", "--json")
        assert collected.returncode == 0, collected.stderr
        assert fleet.run("verify", "--read-data").returncode == 0
        assert fleet.run("load").returncode == 0
        status = json.loads(fleet.run("status", "--json").stdout)
        again = json.loads(fleet.run("collect", "--json").stdout)
        check_bytes(fleet, shared / "homes")
    hosts = {"laptop", "workstation", "server", "lab/ada", "lab/bob", "team/ci-7"}
    assert hosts <= {host["host"] for host in status["hosts"]}
    assert again
    assert all(report["new"] == report["grown"] == report["rewritten"] == 0 for report in again)
    # As the same homes as folders of this machine give them.
    assert sums(tmp_path / "siphon.db") == sums(real_road.database)


def check_bytes(fleet: WholeFleet, homes: Path) -> None:
    """What comes back of a host is what lies there, byte for byte."""
    for name in NAMES:
        done = fleet.run("restore", name, "--to", f"back/{name}")
        assert done.returncode == 0, done.stderr
        back = fleet.folder / "back" / name
        files = [path for path in back.rglob("*") if path.is_file() and path.suffix != ".db"]
        assert files
        for path in files:
            assert path.read_bytes() == (homes / name / path.relative_to(back)).read_bytes()


def sums(database: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(
            "select host, source, count(*), sum(messages), sum(tool_calls), sum(requests),"
            " sum(input_tokens), sum(output_tokens), sum(cost_nanousd) from sessions"
            f" where host in {NAMES} group by 1, 2 order by 1, 2"
        ).fetchall()
