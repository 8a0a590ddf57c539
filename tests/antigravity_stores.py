"""Writes the Antigravity stores under tests/homes: `python tests/antigravity_stores.py`.

Each is made of SQL written here; the blobs are protocol buffers: numbers, texts and messages by field.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

HOMES = Path(__file__).resolve().parent / "homes" / "antigravity"
Value = int | str | bytes | list["Field"]
Field = tuple[int, Value]

SCHEMA = """
create table trajectory_meta(trajectory_id text, cascade_id text, trajectory_type integer,
    source integer);
create table steps(idx integer primary key, step_type integer, status integer, metadata blob,
    step_payload blob);
create table gen_metadata(idx integer primary key, data blob, size integer);
create table executor_metadata(idx integer, data blob);
create table trajectory_metadata_blob(id text, data blob);
create table parent_references(idx integer, data blob);
create table battle_mode_infos(idx integer, data blob);
"""


def blob(fields: list[Field]) -> bytes:
    """A protocol buffer."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
            continue
        if isinstance(value, list):
            value = blob(value)
        raw = value.encode() if isinstance(value, str) else value
        out += _varint(number << 3 | 2) + _varint(len(raw)) + raw
    return out


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def store(path: str, rows: list[tuple[str, tuple[object, ...]]]) -> None:
    """A store with the schema of agy 1.1 and some rows: (insert statement, values)."""
    with closing(sqlite3.connect(_new(path))) as db:
        db.execute("pragma page_size = 1024")
        db.executescript(SCHEMA)
        for sql, values in rows:
            db.execute(sql, values)
        db.commit()


def step(
    index: int, kind: int, status: int | None, seconds: int, body: list[Field]
) -> tuple[str, tuple[object, ...]]:
    told = blob([(1, [(1, seconds), (2, 500_000_000)])])
    return "insert into steps values (?, ?, ?, ?, ?)", (
        index,
        kind,
        status,
        told,
        blob([(1, kind), *body]),
    )


def generation(index: int, data: bytes) -> tuple[str, tuple[object, ...]]:
    return "insert into gen_metadata values (?, ?, ?)", (index, data, len(data))


def asked(steps: bytes, usage: list[Field], seconds: int, *names: Field) -> bytes:
    return blob([(1, [(4, usage), (9, [(4, [(1, seconds)])]), *names]), (2, steps)])


T = 1_780_000_000
A, B, C, D = (f"{n * 8}-0000-4000-8000-000000000000" for n in "abcd")
PRO = ((19, "gemini-pro-default"), (21, "Gemini 3.1 Pro (High)"))
FACTS = blob(
    [
        (
            1,
            [
                (1, "file:///w/my%20app"),
                (2, "file:///w"),
                (3, [(1, "me/app"), (5, "https://git.example/me/app.git")]),
                (4, "main"),
            ],
        ),
        (2, [(1, T - 5)]),
        (7, "file:///w/my%20app"),
    ]
)
META = "insert into trajectory_meta values (?, ?, 4, ?)"


def main() -> None:
    # Beside a step log: only the generations count. The second row tells the first's response again.
    first = asked(
        b"\x02\x03", [(1, 1016), (2, 1000), (3, 90), (9, 60), (10, 30), (11, "resp-1")], T + 2, *PRO
    )
    store(
        f"transcript/laptop/.gemini/antigravity-cli/conversations/{A}.db",
        [
            (META, (A, A, 17)),
            step(0, 14, 3, T, [(19, [(2, "not read: the step log is there")])]),
            generation(0, first),
            generation(1, first),
            generation(
                2,
                asked(
                    b"\x08",
                    [(2, 50), (3, 20), (4, 7), (5, 900), (11, "resp-2")],
                    T + 9,
                    (19, "claude-sonnet-4-6"),
                ),
            ),
            generation(3, blob([(1, [(19, "no usage in this one")])])),
            ("insert into trajectory_metadata_blob values ('main', ?)", (FACTS,)),
        ],
    )
    # Nothing but the store.
    call = [(1, "call-1"), (2, "view_file"), (3, '{"AbsolutePath":"/w/app/a.py"}')]
    again = [(1, "call-2"), (2, "run_command"), (3, '{"CommandLine":"make"}')]
    store(
        f"store/laptop/.gemini/antigravity-ide/conversations/{B}.db",
        [
            (META, (B, B, 1)),
            step(0, 14, 3, T, [(19, [(2, "what is in a.py?")])]),
            step(
                1,
                15,
                3,
                T + 1,
                [(20, [(1, "I look."), (3, "Look at a.py."), (6, "bot-1"), (7, call), (7, again)])],
            ),
            step(2, 8, 3, T + 2, [(28, [(1, "file:///w/app/a.py")])]),
            step(3, 132, 7, T + 3, [(140, [(1, "make: nothing to do")])]),
            step(4, 15, 3, T + 4, [(20, [(1, "Nothing.")])]),
            step(5, 98, None, T + 5, []),
            generation(0, asked(b"\x01", [(2, 10), (3, 5)], T + 1, *PRO)),
            ("insert into trajectory_metadata_blob values ('main', ?)", (FACTS,)),
            ("insert into parent_references values (0, ?)", (blob([(1, A)]),)),
        ],
    )
    # Blobs that are none: bombs, cut ones, numbers in place of texts.
    bomb = b"\x0a\x00" * 20_000
    store(
        f"malformed/laptop/.gemini/antigravity/conversations/{C}.db",
        [
            (META, (C, C, 1)),
            (
                "insert into steps values (0, 14, 3, ?, ?)",
                (b"\xff", blob([(19, [(2, "cut off")])])[:-3]),
            ),
            ("insert into steps values (1, 15, 'x', null, 'a text')", ()),
            (
                "insert into steps values (2, 15, 3, ?, ?)",
                (blob([(1, 5)]), blob([(20, [(1, b"\xff\xfe"), (7, bomb[:2000]), (3, 9)])])),
            ),
            (
                "insert into steps values (3, 14, 3, null, ?)",
                (blob([(19, [(2, "the rest is damaged")])]),),
            ),
            generation(0, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            generation(1, bomb[:3000]),
            generation(2, blob([(1, [(4, [(2, 3), (3, 1), (5, "no number")]), (19, 7)]), (2, 3)])),
        ],
    )
    with closing(
        sqlite3.connect(_new(f"malformed/laptop/.gemini/antigravity/conversations/{D}.db"))
    ) as db:
        db.execute("create table something_else(a)")


def _new(path: str) -> Path:
    file = HOMES / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    return file


if __name__ == "__main__":
    main()
