"""Stores of tools hold tokens of logins, too: archived byte for byte, but never handed out."""

import sqlite3
import stat
from contextlib import closing

import pytest

from goldens import HOMES
from road import Road, copied, road
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.export import FORMS, ORIGINAL, Wanted, export
from siphon.raw import records
from siphon.sessions import header

TOKEN = "eyJhbGciOiJIUzI1NiJ9.atokenofsomeslogin"
STORE = ".config/Cursor/User/globalStorage/state.vscdb"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Road:
    """Cursor's store as it is where somebody is logged in."""
    folder = tmp_path_factory.mktemp("secrets")
    home = copied(folder / "home", HOMES / "cursor" / "store" / "laptop")
    with closing(sqlite3.connect(home / STORE)) as db:
        db.execute("create table if not exists ItemTable (key text unique, value blob)")
        db.execute("insert into ItemTable values ('cursorAuth/accessToken', ?)", (TOKEN,))
        db.commit()
    done = road(folder, {"laptop": home})
    done.go()
    return done


def sessions(loaded: Road) -> list[tuple[int, str]]:
    with closing(connect(loaded.database)) as db:
        sql = "select s.id, uid from sessions s join logs l on l.id = log_id where path = ?"
        return list(db.execute(sql, [STORE]))


def test_the_store_is_archived_as_it_is_for_its_owner_alone(loaded: Road) -> None:
    file = loaded.archive.root / "laptop" / STORE
    assert TOKEN.encode() in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_of_a_login_reaches_the_database(loaded: Road) -> None:
    files = [file for file in loaded.database.parent.glob("siphon.db*") if file.is_file()]
    assert files and not [file for file in files if TOKEN.encode() in file.read_bytes()]


def test_no_session_of_a_store_is_handed_out_as_its_bytes(loaded: Road) -> None:
    told = sessions(loaded)
    assert told
    with closing(connect(loaded.database)) as db:
        for id, uid in told:
            for form in ORIGINAL:
                with pytest.raises(SiphonError, match="not handed out"):
                    list(export(db, loaded.archive, uid, form, Wanted()))
            for (seq,) in db.execute("select seq from messages where session_id = ?", [id]).fetchall():
                with pytest.raises(SiphonError):
                    records(db, loaded.archive, id, seq)


def test_its_other_exports_hold_what_was_said_and_no_token(loaded: Road) -> None:
    with closing(connect(loaded.database)) as db:
        for _, uid in sessions(loaded):
            title = header(db, uid).native_id
            for form in set(FORMS) - set(ORIGINAL):
                body = b"".join(export(db, loaded.archive, uid, form, Wanted(subagents=True)))
                assert title.encode() in body
                assert TOKEN.encode() not in body
