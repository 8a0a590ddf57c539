"""A line to a shell: commands go there, and bytes come back.

A command is one of siphon/shell.py, with `words` for its stdin. Where a shell is all there is, as in
`docker exec -i NAME sh`, both are told to that shell as a script: a shell may read on while a command of
its script runs, so what a command is to read stands in the script as well.
"""

import re
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from siphon.stream import IDLE_SECONDS, Stream

ERRORS_KEPT = 20_000  # bytes
_LINE = 4000  # bytes of one printf in a script
_PLAIN = re.compile(rb"[^A-Za-z0-9 ./_,:=+@]")


class Running(Protocol):
    """A command at work; its output is `out`, its complaints `errors()` once it has ended."""

    out: Stream

    def errors(self) -> list[str]:
        """What it wrote to stderr, by line."""

    def __enter__(self) -> "Running":
        """Itself."""

    def __exit__(self, *_: object) -> None:
        """End it."""


class Line(Protocol):
    """A way to run commands on a host."""

    @property
    def wire(self) -> int:
        """Bytes that went over it so far, both ways."""

    def run(self, command: str, words: bytes = b"") -> Running:
        """Start a command of siphon/shell.py, given `words` to read."""

    def close(self) -> None:
        """Hang up."""


def script(command: str, words: bytes) -> bytes:
    """A command and what it is to read, as a script for a shell's stdin."""
    lines = [f"{command} </dev/null"]
    if words:
        parts = [words[at : at + _LINE] for at in range(0, len(words), _LINE)]
        printed = [f"printf '{_octal(part)}'" for part in parts]
        lines = ["{", *printed, "} | {", f"{command};", "}"]
    return "\n".join([*lines, "exit", ""]).encode(errors="surrogateescape")


def _octal(line: bytes) -> str:
    """For printf: what may mean something to it or to the shell is written as its number."""
    return _PLAIN.sub(
        lambda found: b"%%" if found[0] == b"%" else b"\\%03o" % found[0][0], line
    ).decode()


def started(*works: tuple[Callable[..., None], tuple[object, ...]]) -> list[threading.Thread]:
    """Beside the reader: a host that waits to be heard, or to hear, would wait for ever."""
    threads = [threading.Thread(target=work, args=given, daemon=True) for work, given in works]
    for thread in threads:
        thread.start()
    return threads


def told(threads: Sequence[threading.Thread], errors: bytearray) -> list[str]:
    for thread in threads:
        thread.join(IDLE_SECONDS)
    return errors.decode(errors="replace").splitlines()
