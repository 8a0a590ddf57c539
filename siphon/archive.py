"""Archive: every log of every host, byte for byte, under the path it has below its host's home.

<host>/<path>                     the current generation
.zst/<host>/<n>/<path>.zst        the same, once it has not grown for two weeks
.generations/<host>/<n>/<path>    those that a newer one replaced; large ones in chunks below .packed/
.ledger.db                        what lies where, its size and hash (ledger.sql)
.audit.jsonl                      who did what to it (siphon/audit.py)
.parts/  .lock  .locks/           what is on its way, and who is at work
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import quote

from siphon import hashing, places, private, resting, seal
from siphon.archivedhome import ArchivedHome
from siphon.deposit import Arrival, commit, mend, repair
from siphon.errors import SiphonError
from siphon.ledger import RUN, Entry, HostState, Ledger, Run
from siphon.locks import locked
from siphon.log import Home
from siphon.packs import opened, pack
from siphon.permissions import permit
from siphon.places import PARTS
from siphon.resting import Rested
from siphon.verify import ALL, Finding, Progress, Share, extent, findings, silent

_PATIENCE_SECONDS = 30  # with the processes of a collect that was killed
_DYING_SECONDS = (
    2  # with a collect that was killed as it started a process, which holds its lock until then
)
_DAY = 24 * 3600 * 1000  # ms
_PACKED_A_RUN = 128 << 20  # bytes: less than a second's work
_numbers = count()


class Held(NamedTuple):
    """A log, or a companion of one, that the archive holds."""

    host: str
    path: str  # POSIX, below the home; bytes that are no UTF-8 as in siphon/pathtext.py
    generation: int
    size: int  # bytes
    mtime: int | None  # ms, on the host


class Archive:
    """An archive folder. Opening it costs nothing; it is created when first used."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._ledger = Ledger(self.root / ".ledger.db")

    def __reduce__(self) -> tuple[type["Archive"], tuple[Path]]:
        return Archive, (self.root,)

    @property
    def ledger(self) -> Ledger:
        """The archive's book; its folders are made when it is first asked for.

        Raises SiphonError where they cannot be.
        """
        if not self._ledger.path.exists():
            with _making(self.root):
                private.folder(self.root / PARTS)
                private.folder(self.root / ".locks")
        return self._ledger

    def share(self, group: str | None) -> None:
        """Let a group read the archive, or (None) nobody but its owner; see siphon/permissions.py."""
        with _making(self.root):
            permit(self.root, group)

    def held(self, host: str | None = None) -> list[Held]:
        """The current generation of everything held, of one host or all, by host and path."""
        sql = "select host, path, generation, size, mtime from logs where pruned_at is null"
        if host is None:
            rows = self.ledger.rows(f"{sql} order by host, path")
        else:
            rows = self.ledger.rows(f"{sql} and host = ? order by path", host)
        return list(map(Held._make, rows))

    def entries(self, host: str) -> dict[str, Entry]:
        """A host's logs by path, the pruned too; of an archive not yet there, none."""
        return self._ledger.entries(host) if self._ledger.path.exists() else {}

    def home(self, host: str) -> Home:
        """One host's logs to read; may be handed to another process."""
        return ArchivedHome(self.root, self._ledger, host)  # nothing is made before it is read

    def generations(self, host: str, path: str) -> list[Held]:
        """All generations held of a log, oldest first; the last is the current one."""
        sql = """select host, path, g.generation, g.size, g.mtime from generations g
                join logs on id = log_id where host = ?1 and path = ?2 and g.pruned_at is null
            union all
            select host, path, generation, size, mtime from logs
                where host = ?1 and path = ?2 and pruned_at is null
            order by 3"""
        return [Held(*row) for row in self.ledger.rows(sql, host, path)]

    def open(self, host: str, path: str, generation: int) -> IO[bytes] | None:
        """A generation's bytes, seekable; None: there is no such generation, or it was pruned.

        Raises OSError where the archive has lost it.
        """
        sql = """select g.place, g.size from generations g join logs on id = log_id
                where host = ?1 and path = ?2 and g.generation = ?3 and g.pruned_at is null
            union all
            select place, size from logs
                where host = ?1 and path = ?2 and generation = ?3 and pruned_at is null"""
        rows = self.ledger.rows(sql, host, path, generation)
        while rows:
            try:
                return opened(self.root, *rows[0])
            except FileNotFoundError:
                again = self.ledger.rows(sql, host, path, generation)
                if again == rows:
                    raise
                rows = again  # it was packed between the two looks
        return None

    def read(self, entry: Entry) -> IO[bytes]:
        """The bytes of a log, seekable. Raises OSError where the archive has lost them."""
        return opened(self.root, entry.place, entry.size)

    def hashed(self, entry: Entry, size: int) -> "hashlib._Hash":
        """The hash of a log's first `size` bytes, to go on with; of none where they are lost or damaged,
        so that what comes from its host proves wrong and the log comes whole.
        """
        try:
            with self.read(entry) as file:
                return hashing.hashed(file, size)
        except OSError:
            return hashlib.sha256()

    def pack(self, host: str, at: int, most: int = _PACKED_A_RUN) -> Rested:
        """Keep a host's replaced generations without what they repeat, and logs at rest as zstd.

        At most so many bytes (or one log) that a collect does not wait; `siphon archive pack` does all.
        """
        pack(self.root, self.ledger, host)
        due: list[Entry] = []
        size = 0
        for entry in self.at_rest(host, at - resting.DAYS * _DAY):
            size += entry.size
            if due and size > most:
                break
            due.append(entry)
        return resting.rest(self.root, self.ledger, due)

    def at_rest(self, host: str, before: int) -> list[Entry]:
        """The host's logs that have not grown since `before` (ms) and are not packed yet."""
        return resting.at_rest(self.ledger, host, before)

    def pack_all(self, before: int, progress: Progress = silent) -> Rested:
        """Pack all logs that have not grown since `before` (ms)."""
        hosts = self.ledger.rows("select distinct host from logs order by 1")
        due = [entry for (host,) in hosts for entry in self.at_rest(host, before)]
        return resting.rest(self.root, self.ledger, due, progress)

    def repos(self) -> dict[tuple[str, str], str]:
        """The git remotes found on the hosts: (host, cwd) → host/owner/name."""
        rows = self.ledger.rows("select host, cwd, repo from repos where repo is not null")
        return {(host, cwd): repo for host, cwd, repo in rows}

    def asked_repos(self, host: str) -> dict[str, int | None]:
        """The folders of a host known so far, and when git was asked (ms); None: not yet."""
        rows = self.ledger.rows("select cwd, asked_at from repos where host = ?", host)
        return dict(rows)

    def add_repos(self, host: str, repos: Mapping[str, str | None], at: int | None) -> None:
        """Remember the remotes of folders, asked at that time (None: still to be asked).

        That none is found, which is None, never unlearns one found before.
        """
        sql = """insert into repos (host, cwd, repo, asked_at) values (?, ?, ?, ?)
            on conflict (host, cwd) do update set
                repo = coalesce(excluded.repo, repo),
                asked_at = coalesce(excluded.asked_at, asked_at)"""
        with self.ledger.write() as db:
            db.executemany(sql, [(host, cwd, repo, at) for cwd, repo in repos.items()])

    def runs(self) -> list[Run]:
        """All runs recorded here, oldest first."""
        return [Run(*row) for row in self.ledger.rows(f"select {RUN} from runs order by id")]

    def record_run(self, run: Run) -> Run:
        """Write a run down; the result has an id, with which it can be written again when it ends."""
        recorded = self.ledger.record_run(run)
        if run.kind != "collect":  # a collect seals the ledger when all is done
            self.ledger.seal()
        return recorded

    def host_states(self) -> list[HostState]:
        """When each host was collected, by name."""
        sql = "select name, collected_at, attempted_at, error from hosts order by name"
        return [HostState(*row) for row in self.ledger.rows(sql)]

    def heard(self) -> dict[str, int]:
        """When machines that push did so last (ms), by name, be it that nothing was new."""
        return dict(self.ledger.rows("select name, heard_at from hosts where heard_at is not null"))

    def verify(
        self, read_data: bool = False, share: Share = ALL, progress: Progress = silent
    ) -> Iterator[Finding]:
        """Yield all that is not as the ledger says; `read_data` reads all bytes of that share's logs."""
        return findings(self.root, self.ledger, share if read_data else None, progress)

    def extent(self, read: Share | None) -> tuple[int, int]:
        """How many generations a verification looks at, and how many bytes it reads."""
        return extent(self.ledger, read)

    def part(self) -> Path:
        """A path for bytes on their way in; nothing lies there yet."""
        return Path(f"{self.root}/{PARTS}/{os.getpid()}-{next(_numbers)}")

    def add(self, host: str, arrivals: Sequence[Arrival], at: int) -> None:
        """Take in new logs, new generations and tails; see siphon/deposit.py."""
        if arrivals:
            commit(self.root, self.ledger, host, arrivals, at)

    def mend(self, entry: Entry, part: Path) -> None:
        """Use up the part, whose bytes are the log's: for those held, if they are lost or damaged."""
        if self.hashed(entry, entry.size).hexdigest() == entry.sha256:
            part.unlink()
        else:
            mend(self.root, self.ledger, entry, part)

    def refetch(self, found: Iterable[Finding]) -> int:
        """Have the next collect fetch again what was found lost or damaged and is still on its host.

        How many logs that are. Replaced generations are nowhere else. A ledger that opens is taken as
        it is.
        """
        seal.accept(self.ledger.path)
        sql = """update logs set stamp = null where host = ? and path = ? and generation = ?
            and gone_at is null"""
        rows = [one[:3] for one in found if one.host is not None]
        with self.ledger.write() as db:
            return sum(db.execute(sql, row).rowcount for row in rows)

    @contextmanager
    def lock(self, what: str, at: int) -> Iterator[None]:
        """Be the only one to write logs, and mend what a kill left; raises SiphonError naming who is."""
        with self._locked(".lock", f"{what}, ", _DYING_SECONDS):
            for left in (self.root / ".locks").iterdir():  # a killed collect's processes may outlive it
                with self._locked(f".locks/{left.name}", "", _PATIENCE_SECONDS):
                    pass
            self.ledger.keep_broken()
            places.clear(self.root, self.ledger)
            repair(self.root, self.ledger)
            with self.ledger.write() as db:
                sql = """update runs set outcome = 'error', ended_at = ?, error = 'interrupted'
                    where outcome = 'running' and kind = 'collect'"""
                db.execute(sql, (at,))
            yield
            self.ledger.seal()

    def host_lock(self, host: str) -> AbstractContextManager[None]:
        """Be the only one to write a host's logs, once whoever else does so has ended."""
        return self._locked(f".locks/{quote(host, safe='')}", "", _PATIENCE_SECONDS)

    def _locked(self, name: str, holder: str, patience: float = 0) -> AbstractContextManager[None]:
        return locked(self.ledger.path.parent / name, self.root, holder, patience)


@contextmanager
def _making(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SiphonError(f"{root}: the archive cannot be made: {error.strerror}") from error
