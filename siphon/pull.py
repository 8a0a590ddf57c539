"""One host's logs into the archive: list, compare, fetch what changed, prove it, commit."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

from siphon import private
from siphon.archive import Archive
from siphon.deposit import Arrival
from siphon.hashing import digest
from siphon.hostreport import HostReport, Planned, Progress, Say
from siphon.hosts import BLOCK, Found, Host, Listing, Piece, Proof
from siphon.ledger import Entry
from siphon.plan import Plan, Task, plan, within
from siphon.repos import Folders
from siphon.snapshots import snapshot
from siphon.wanted import Wanted

_BATCH_LOGS = 1000  # committed together: a killed run has to fetch no more than these again
_BATCH_BYTES = 64 << 20


class Pull:
    """The state of one host's collect."""

    def __init__(
        self, archive: Archive, host: Host, name: str, say: Say, now: Callable[[], int]
    ) -> None:
        self.archive = archive
        self.host = host
        self.name = name
        self.now = now
        self.folders = Folders()
        self.counts = {"new": 0, "grown": 0, "rewritten": 0}
        self.bytes = 0
        self.why: dict[str, str] = {}  # path → why the last attempt gave nothing
        self.listing = Listing({}, ())  # what is there, once it is listed
        self._say = say
        self._todo: Plan | None = None
        self._total = (0, 0)
        self._done = 0

    def run(self, wanted: Wanted, limit: int | None = None) -> None:
        """Do it all, but for what is more than `limit` bytes: that is left for the next run."""
        todo = self._listed(wanted, limit)
        self.archive.ledger.note_gone(todo.gone, self.now())
        self.archive.ledger.note_gone(todo.back, None)
        self._logs(todo)
        self._stores(todo)

    def try_run(self, wanted: Wanted, limit: int | None = None) -> HostReport:
        """Only say what would be done."""
        todo = self._listed(wanted, limit)
        return self.report()._replace(planned=tuple(_planned(todo)), gone=0)

    def report(self) -> HostReport:
        """What has been done so far."""
        problems = [
            *self.listing.problems,
            *(f"{path}: {why}" for path, why in sorted(self.why.items())),
        ]
        listed = self._todo is not None
        return HostReport(
            self.name,
            seen=self._todo.seen if self._todo else None,
            new=self.counts["new"],
            grown=self.counts["grown"],
            rewritten=self.counts["rewritten"],
            gone=len(self._todo.gone) if self._todo else 0,
            bytes=self.bytes,
            wire=self.host.wire,
            problems=tuple(problems),
            links=tuple(self.listing.links),
            reachable=True,
            tools=self.host.means if listed else None,
            left_logs=self._todo.left_logs if self._todo else 0,
            left_bytes=self._todo.left_bytes if self._todo else 0,
        )

    def _listed(self, wanted: Wanted, limit: int | None) -> Plan:
        self._say(Progress(self.name, "list"))
        self.listing = allowed(self.host.find(wanted), wanted)
        todo = plan(self.listing, wanted, self.archive.entries(self.name))
        self._todo = todo if limit is None else within(todo, limit)
        return self._todo

    def _logs(self, todo: Plan) -> None:
        tasks = todo.tasks
        self._total = (len(tasks), sum(task.want.size - task.want.start for task in tasks))
        # Round one takes tails, and many small logs in bulk; what does not prove good comes whole and
        # with proof, twice at most: a log that changes under our hands has its turn in the next run.
        for exact in (False, True, True):
            tasks = [again for batch in _batches(tasks) for again in self._fetch(batch, exact)]

    def _stores(self, todo: Plan) -> None:
        for task in todo.stores:
            taken = snapshot(self.host, task, self.archive)
            self.bytes += taken.bytes
            if taken.problem is not None:
                self.why[task.path] = taken.problem
            if taken.arrival is not None:
                self._commit([(taken.arrival, task.entry)])

    def _fetch(self, tasks: Sequence[Task], exact: bool) -> list[Task]:
        """Fetch and commit; returns what is to be tried again, whole."""
        left = {task.found.path: task for task in tasks}
        received = []
        for piece in self.host.fetch([task.want for task in tasks], exact):
            task = left[piece.want.path]
            received.append((task, *self._receive(task, piece)))
            self._done += 1
            self._say(
                Progress(self.name, "fetch", self._done, self._total[0], self.bytes, self._total[1])
            )
        doubtful = [task.found.path for task, _, good in received if good is None]
        after = self.host.stat(doubtful) if doubtful else {}
        proved = []
        for task, arrival, good in received:
            path = task.found.path
            if good or (good is None and _same(after.get(path), task.found)):
                proved.append((arrival, task.entry))
                del left[path]
                self.why.pop(path, None)
            else:
                arrival.part.unlink(missing_ok=True)
                self.why[path] = "it changed while it was read; the next collect takes it"
        self._commit(proved)
        for path in left:
            self.why.setdefault(path, "it cannot be read")
        return [task._replace(tail=False) for task in left.values()]

    def _receive(self, task: Task, piece: Piece) -> tuple[Arrival, bool | None]:
        """Write the piece into a part. Good, bad, or None: the host's listing must tell."""
        start, size = piece.want.start, piece.want.size
        held = task.entry if start else None
        whole = self.archive.hashed(held, start) if held else hashlib.sha256()
        segment = hashlib.sha256()
        part = self.archive.part()
        with private.create(part) as file:
            for block in piece.blocks:
                file.write(block)
                whole.update(block)
                if start:
                    segment.update(block)
                self.folders.feed(block)
            count = file.tell()
        self.folders.end()
        self.bytes += count
        proof = piece.proof()
        arrival = Arrival(
            path=task.found.path,
            part=part,
            tail=task.tail,
            size=size,
            mtime=task.found.mtime // 1_000_000,
            stamp=task.found.stamp,
            sha256=whole.hexdigest(),
            segment=segment.hexdigest() if start else whole.hexdigest(),
        )
        return arrival, count == size - start and self._proved(proof, arrival, held)

    def _proved(self, proof: Proof, arrival: Arrival, held: Entry | None) -> bool | None:
        if proof.sha256 is not None:
            return proof.sha256 == arrival.sha256
        if not proof.samples or held is None:
            return None
        try:
            with self.archive.read(held) as file:
                return all(_at(file, offset, len(sample)) == sample for offset, sample in proof.samples)
        except OSError:  # lost or damaged: it comes whole
            return False

    def _tail(self, arrival: Arrival, entry: Entry) -> Arrival:
        """Of a log that came whole what is beyond the bytes held, if it begins with just these."""
        if entry.pruned_at is not None or digest(arrival.part, entry.size) != entry.sha256:
            return arrival
        try:
            if self.archive.hashed(entry, entry.size).hexdigest() != entry.sha256:
                return arrival  # what is held is damaged: all of it is taken
        except OSError:
            return arrival
        part, segment = self.archive.part(), hashlib.sha256()
        with private.create(part) as file, arrival.part.open("rb") as whole:
            whole.seek(entry.size)
            while block := whole.read(BLOCK):
                file.write(block)
                segment.update(block)
        arrival.part.unlink()
        return arrival._replace(part=part, tail=True, segment=segment.hexdigest())

    def _commit(self, proved: Iterable[tuple[Arrival, Entry | None]]) -> None:
        changed = []
        unchanged: dict[int, tuple[str | None, int | None]] = {}
        for arrival, entry in proved:
            if entry is not None and (arrival.size, arrival.sha256) == (entry.size, entry.sha256):
                unchanged[entry.id] = (arrival.stamp, arrival.mtime)
                if arrival.tail or entry.pruned_at is not None:
                    arrival.part.unlink()
                else:
                    self.archive.mend(entry, arrival.part)
                continue
            if entry is not None and not arrival.tail and arrival.size > entry.size:
                arrival = self._tail(arrival, entry)
            self.counts["new" if entry is None else "grown" if arrival.tail else "rewritten"] += 1
            changed.append(arrival)
        self.archive.add(self.name, changed, self.now())
        if unchanged:
            self.archive.ledger.restamp(unchanged)


def allowed(listing: Listing, wanted: Wanted) -> Listing:
    """Without what the host's own settings leave out."""
    if not (wanted.only or wanted.never):
        return listing
    found = {path: file for path, file in listing.found.items() if wanted.allows(path)}
    return listing._replace(found=found)


def _batches(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    batch: list[Task] = []
    size = 0
    for task in tasks:
        batch.append(task)
        size += task.want.size - task.want.start
        if len(batch) >= _BATCH_LOGS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _same(after: Found | None, before: Found) -> bool:
    """Whether a file was not written to between two listings, as far as they tell."""
    return after is not None and after._replace(settled=before.settled) == before


def _at(file: IO[bytes], offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _planned(todo: Plan) -> Iterator[Planned]:
    for task in todo.tasks:
        kind = "new" if task.entry is None else "grown" if task.tail else "rewritten"
        yield Planned(task.found.path, kind, task.want.size - task.want.start)
    for store in todo.stores:
        size = sum(found.size for found in store.files.values())
        yield Planned(store.path, "new" if store.entry is None else "rewritten", size)
