"""What a listing asks to be done, given what the archive holds."""

from collections.abc import Mapping
from typing import NamedTuple

from siphon.hosts import Found, Listing, Want
from siphon.ledger import Entry
from siphon.wanted import STORE_PARTS, Wanted


class Task(NamedTuple):
    """A log to fetch. `tail`: only what lies beyond the bytes held, if those prove unchanged."""

    found: Found
    entry: Entry | None  # None: it is new
    tail: bool

    @property
    def want(self) -> Want:
        start = self.entry.size if self.entry and self.tail else 0
        return Want(self.found.path, start, self.found.size)

    @property
    def bytes(self) -> int:
        """To fetch."""
        return self.want.size - self.want.start


class StoreTask(NamedTuple):
    """An SQLite store to copy: its files are one log."""

    files: Mapping[str, Found]  # suffix → file; "" is the main one
    entry: Entry | None

    @property
    def path(self) -> str:
        return self.files[""].path

    @property
    def bytes(self) -> int:
        """To fetch."""
        return sum(found.size for found in self.files.values())

    @property
    def stamp(self) -> str | None:
        """The stamps of its files, or None if one has none."""
        stamps = [found.stamp for _, found in sorted(self.files.items())]
        return None if None in stamps else "; ".join(stamp or "" for stamp in stamps)


class Plan(NamedTuple):
    """What to do about one host."""

    tasks: list[Task]
    stores: list[StoreTask]
    gone: list[int]  # ids of logs missing there
    back: list[int]  # ids of logs there again, unchanged
    seen: int  # logs there
    left_logs: int = 0  # not in this run, as it would be more than its limit
    left_bytes: int = 0


def plan(listing: Listing, wanted: Wanted, entries: Mapping[str, Entry]) -> Plan:
    """Compare. What a host with unseen corners does not show is not taken to be gone."""
    stores = _stores(listing.found, wanted)
    parts = {path + part for path in stores for part in STORE_PARTS}
    logs = {
        path: found for path, found in listing.found.items() if path not in stores and path not in parts
    }
    tasks = [_task(found, entries.get(path)) for path, found in logs.items()]
    store_tasks = [StoreTask(files, entries.get(path)) for path, files in stores.items()]
    there = logs.keys() | stores.keys()
    missing = () if listing.problems else entries.keys() - there
    known = [entries[path] for path in there & entries.keys()]
    return Plan(
        tasks=[task for task in tasks if task is not None],
        stores=[task for task in store_tasks if task.entry is None or not _same(task.stamp, task.entry)],
        gone=[entries[path].id for path in missing if _was_there(entries[path], wanted)],
        back=[entry.id for entry in known if entry.gone_at is not None],
        seen=len(there),
    )


def within(todo: Plan, limit: int) -> Plan:
    """What of it is no more than `limit` bytes, but one log at least: else a large one never came.

    The log that has waited longest comes first, whatever its size; then those that grew, then the
    oldest: tools delete those first.
    """
    due: list[Task | StoreTask] = [*sorted(todo.tasks, key=_turn), *todo.stores]
    longest = min((each for each in due if each.entry is None), key=_age, default=None)
    if longest is not None:
        due.remove(longest)
        due.insert(0, longest)
    taken: list[Task | StoreTask] = []
    left: list[Task | StoreTask] = []
    total = 0
    for each in due:
        if taken and total + each.bytes > limit:
            left.append(each)
        else:
            taken.append(each)
            total += each.bytes
    return todo._replace(
        tasks=[each for each in taken if isinstance(each, Task)],
        stores=[each for each in taken if isinstance(each, StoreTask)],
        left_logs=len(left),
        left_bytes=sum(each.bytes for each in left),
    )


def _age(task: Task | StoreTask) -> int:
    return task.found.mtime if isinstance(task, Task) else task.files[""].mtime


def _turn(task: Task) -> tuple[bool, int]:
    return not task.tail, task.found.mtime


def _was_there(entry: Entry, wanted: Wanted) -> bool:
    """Whether its absence is news: what is no longer looked for is not missing."""
    return entry.gone_at is None and wanted.match(entry.path)


def _stores(found: Mapping[str, Found], wanted: Wanted) -> dict[str, dict[str, Found]]:
    """The files of each store, by its path and their suffix."""
    mains = {path: {"": found[path]} for path in wanted.stores(found)}
    for path, files in mains.items():
        files.update({part: found[path + part] for part in STORE_PARTS if path + part in found})
    return mains


def _task(found: Found, entry: Entry | None) -> Task | None:
    if entry is None:
        return Task(found, None, tail=False)
    if _same(found.stamp, entry):
        return None
    # Another inode does not make other bytes: a restored or moved home has the same logs.
    return Task(found, entry, tail=found.size >= entry.size and entry.pruned_at is None)


def _same(stamp: str | None, entry: Entry) -> bool:
    return stamp is not None and stamp == entry.stamp
