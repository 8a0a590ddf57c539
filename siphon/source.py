"""What a source is: a value that states which logs it matches, beside how it reads one."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from siphon.log import Log
from siphon.records import Record


class Retention(NamedTuple):
    """How a tool deletes its own logs: those not changed for some days.

    `days` holds where no setting says anything. Settings are JSON files of which `read` takes the days
    (inf: for good; None: the file does not say). They hold secrets, so they are looked at on the host
    and not archived. What is `managed` overrides all; what a project says holds while the tool runs
    there, and is of consequence for all of its logs.
    """

    days: float
    read: Callable[[bytes], float | None]  # raises ValueError where the file cannot be read
    user: tuple[str, ...]  # below the home
    project: tuple[str, ...] = ()  # below a project's folder
    managed: tuple[str, ...] = ()  # absolute
    usual: tuple[str, ...] = ()  # absolute: what holds where the user says nothing


class Source(NamedTuple):
    """One tool's logs.

    `globs` are POSIX patterns below the home; `**` crosses folders (also hidden ones), `*` and `?` do
    not cross `/`, `{a,b}` alternates. One match is one log. `beside` are companions: collected, read
    through `log.near()`, but no logs themselves. `parse` depends on nothing but the bytes it reads
    through its Log: no clock, environment, network or database.
    """

    name: str  # snake_case, stable: part of every session's uid
    title: str  # as its makers write it
    globs: tuple[str, ...]
    parse: Callable[[Log], Iterator[Record]]
    beside: tuple[str, ...] = ()
    version: int = 1  # rises when parse yields other records: its logs are read again
    resume: Callable[[str], str | None] | None = None  # native id → command that reopens it
    recognise: Callable[[Log], str | None] | None = None
    """For a loose file: the path below a home where such a log would lie; None: not one of ours."""
    sqlite: bool = False  # its logs are SQLite stores: collected as consistent copies
    skips: Mapping[str, str] = {}  # record types left out on purpose: type → reason
    evidence: str = ""  # what it was checked against, and the date
    retention: Retention | None = None  # None: it deletes nothing that is known of
    gaps: str = ""  # what the tool's logs do not say, for docs/sources.md


def later(module: str, name: str) -> Callable[..., Any]:
    """A function that is `name` of the module, which is imported when it is first called.

    So all sources can be asked for what they match at the price of none of their readers. Its
    `__module__` is the module.
    """

    def call(*given: Any, **named: Any) -> Any:
        return getattr(import_module(module), name)(*given, **named)

    call.__module__ = module
    return call
