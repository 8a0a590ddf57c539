"""What a rollback takes back: rows that stand before it in the log."""

import zstandard

from siphon.log import Log
from siphon.records import Message, Record, ToolCall
from siphon.sources.codex.thread import Thread

_WORD = b"thread_rolled_back"


def mark(rows: list[Record], thread: Thread) -> None:
    """Say of a thread's rows that were rolled back that they are abandoned."""
    gone, session = thread.rollbacks, thread.native_id
    for place, row in enumerate(rows):
        if not isinstance(row, Message | ToolCall) or row.session != session:
            continue
        if any(start <= row.seq < end for start, end in gone):
            rows[place] = row._replace(abandoned=True)


def mentioned(log: Log) -> bool:
    """Whether the word for a rollback stands anywhere in the log."""
    end = b""
    with log.open() as file:
        try:
            while chunk := file.read(1 << 16):
                if _WORD in chunk or _WORD in end + chunk[: len(_WORD)]:
                    return True
                end = chunk[-len(_WORD) :]
        except zstandard.ZstdError:
            return False  # reported when its lines are read
    return False
