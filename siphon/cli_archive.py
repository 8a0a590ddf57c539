"""`siphon archive …` and `siphon restore`: what the archive holds, its history, and out of it again."""

import re
import shutil
import sys
import time
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

import click

from siphon import audit, inventory, resting
from siphon.archive import Archive
from siphon.cli import as_json, complain, config_of, emit
from siphon.errors import SiphonError
from siphon.figures import bytes_, plural, stamp
from siphon.inventory import Generation, LogTotal
from siphon.ledger import Run
from siphon.progress import bytes_bar
from siphon.visible import visible

_UNITS = {"h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000, "y": 365 * 86_400_000}  # ms


def now() -> int:
    """This moment, in ms."""
    return time.time_ns() // 1_000_000


def age(text: str) -> int:
    """14d, 6w, 2y, 12h → ms. Raises SiphonError."""
    found = re.fullmatch(r"(\d{1,6})([hdwy])", text)
    if found is None:
        raise SiphonError(f"{text!r} is no age; write it as 12h, 14d, 6w or 2y")
    return int(found[1]) * _UNITS[found[2]]


def shown(path: str) -> str:
    """A path on one line, nothing in it acting on the terminal."""
    return visible(path).replace("\n", "␊").replace("\t", "␉")


@click.group()
def archive() -> None:
    """What the archive holds, byte for byte: hosts, logs, and the generations of a log."""


@archive.command(name="list")
@click.argument("host", required=False)
@as_json
@click.pass_context
def list_(context: click.Context, host: str | None, json_: bool) -> None:
    """The hosts with their logs and bytes; of a HOST each log."""
    held = Archive(config_of(context).archive)
    known = inventory.host_names(held)
    if host is None:
        return _list_hosts(inventory.hosts(held), json_)
    if host not in known:
        raise SiphonError(f"no host {host!r} in the archive; known hosts: {', '.join(known)}")
    rows = inventory.logs(held, host)
    if json_:
        return emit([row._asdict() for row in rows])
    for row in rows:
        click.echo(_log_line(row))
    return None


def _list_hosts(rows: list[inventory.HostTotal], json_: bool) -> None:
    if json_:
        return emit([row._asdict() for row in rows])
    for row in rows:
        parts = [f"{plural(row.logs, 'log')}, {bytes_(row.bytes)} in {bytes_(row.stored)}"]
        older = row.generations - row.logs
        parts += [plural(older, "older generation")] if older else []
        for count, what in ((row.packed, "packed"), (row.gone, "gone there"), (row.pruned, "pruned")):
            parts += [f"{count} {what}"] if count else []
        click.echo(f"{row.host}: {', '.join(parts)}; collected {stamp(row.collected_at)}")
    return None


def _log_line(row: LogTotal) -> str:
    notes = [f"generation {row.generation} of {row.generations}"] if row.generation > 1 else []
    notes += ["packed"] if row.stored != row.size and row.pruned_at is None else []
    notes += [f"gone {stamp(row.gone_at)}"] if row.gone_at is not None else []
    notes += [f"pruned {stamp(row.pruned_at)}"] if row.pruned_at is not None else []
    end = f"  ({', '.join(notes)})" if notes else ""
    return f"{bytes_(row.size):>8}  {stamp(row.mtime)}  {shown(row.path)}{end}"


@archive.command()
@click.argument("path")
@as_json
@click.pass_context
def generations(context: click.Context, path: str, json_: bool) -> None:
    """All generations of a log (PATH is HOST/PATH): sizes, times, hashes, what replaced what."""
    held = Archive(config_of(context).archive)
    rows = inventory.generations(held, *inventory.log_at(held, path))
    if json_:
        return emit(
            [{**row._asdict(), "segments": [one._asdict() for one in row.segments]} for row in rows]
        )
    for row in rows:
        click.echo(_generation_line(row))
        for part in row.segments[1:]:
            click.echo(f"     + {bytes_(part.size)} at {stamp(part.arrived_at)}  {part.sha256[:16]}")
    return None


def _generation_line(row: Generation) -> str:
    if row.replaced_at is None:
        end = "the current one"
    else:
        end = f"replaced by generation {row.generation + 1} at {stamp(row.replaced_at)}"
    pruned = f", pruned {stamp(row.pruned_at)}" if row.pruned_at is not None else ""
    first = row.segments[0] if row.segments else None
    size = bytes_(row.size) + (
        f", first {bytes_(first.size)}" if first and first.size != row.size else ""
    )
    written = f"written {stamp(row.mtime)}, arrived {stamp(row.began_at)}"
    return f"{row.generation:4} {size}, {written}, {end}{pruned}\n     sha256 {row.sha256}"


@archive.command()
@click.argument("path")
@click.option("--generation", type=int, help="Which; else the current one.")
@click.pass_context
def cat(context: click.Context, path: str, generation: int | None) -> None:
    """Write a log's bytes (PATH is HOST/PATH) to stdout, exactly."""
    held = Archive(config_of(context).archive)
    host, below = inventory.log_at(held, path)
    kept = [one.generation for one in held.generations(host, below)]
    number = generation if generation is not None else kept[-1] if kept else 0
    file = held.open(host, below, number) if number in kept else None
    if file is None:
        there = f"there are {', '.join(map(str, kept))}" if kept else "it was pruned"
        raise SiphonError(f"no generation {number} of {host}/{shown(below)}: {there}")
    with file:
        shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
    sys.stdout.buffer.flush()


@archive.command(name="pack")
@click.option(
    "--older-than", default=f"{resting.DAYS}d", show_default=True, help="Not grown for so long."
)
@click.option("--dry-run", is_flag=True, help="Say what would be packed; pack nothing.")
@as_json
@click.pass_context
def pack(context: click.Context, older_than: str, dry_run: bool, json_: bool) -> None:
    """Store logs that no longer grow as zstd; every reader sees their bytes as before.

    Collects do this by themselves, some at a time, for logs that have not grown for 14 days.
    """
    held, at = Archive(config_of(context).archive), now()
    before = at - age(older_than)
    if dry_run:
        due = [one for host in inventory.host_names(held) for one in held.at_rest(host, before)]
        size = sum(one.size for one in due)
        if json_:
            return emit({"logs": len(due), "bytes": size, "dry_run": True})
        return click.echo(f"would pack {plural(len(due), 'log')} ({bytes_(size)})")
    with held.lock("siphon archive pack", at), bytes_bar("packing", quiet=json_) as progress:
        done = held.pack_all(before, progress)
    if done.logs:
        audit.note(held.root, "pack", now(), logs=done.logs, bytes=done.bytes, packed=done.packed)
        run = Run(kind="pack", started_at=at, ended_at=now(), outcome="ok")
        held.record_run(run._replace(logs_changed=done.logs, bytes=done.bytes))
    if json_:
        return emit({**done._asdict(), "dry_run": False})
    click.echo(f"packed {plural(done.logs, 'log')}: {bytes_(done.bytes)} in {bytes_(done.packed)}")
    if done.damaged:
        complain(f"{done.damaged} damaged logs were left; `siphon verify --read-data` names them")
        context.exit(1)
    return None


@archive.command(name="audit")
@click.option("--last", default=50, show_default=True, help="So many, the newest.")
@as_json
@click.pass_context
def audit_(context: click.Context, last: int, json_: bool) -> None:
    """Who did what to the archive: collects, prunes, packs, restores, trusts, logins …"""
    rows: list[dict[str, Any]] = list(audit.notes(config_of(context).archive))[-last:]
    if json_:
        return emit(rows)
    for row in rows:
        facts = ", ".join(f"{name} {value}" for name, value in row.items() if _told(name, value))
        click.echo(shown(f"{stamp(row.get('at'))}  {row.get('what')}  by {row.get('by')}: {facts}"))
    return None


def _told(name: str, value: object) -> bool:
    return name not in ("at", "what", "by", "process") and value not in (None, 0)


@click.command()
@click.argument("what", metavar="HOST[/PATH]")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder to restore into.")
@click.option("--generation", type=int, help="Of one log: which; else the current one.")
@click.option("--as-of", metavar="DATE", help="As it was archived by then: 2026-01-31, or with a time.")
@click.option("--overwrite", is_flag=True, help="Replace other files that are in the way.")
@click.option("--dry-run", is_flag=True, help="Say what would be restored; write nothing.")
@as_json
@click.pass_context
def restore(
    context: click.Context,
    what: str,
    to: Path,
    generation: int | None,
    as_of: str | None,
    overwrite: bool,
    dry_run: bool,
    json_: bool,
) -> None:
    """Write a home, a folder or a log out of the archive: byte for byte, each with its time.

    \b
    siphon restore laptop --to ~/laptop-home
    siphon restore laptop/.claude/projects --to /tmp/then --as-of 2026-01-31

    Logs that are gone from their host are restored, too. A live SQLite store comes back as one file,
    what stood in its -wal merged into it.
    """
    from siphon.restore import planned
    from siphon.restore import restore as write

    if generation is not None and as_of is not None:
        raise SiphonError("--generation and --as-of say two things; give one of them")
    held = Archive(config_of(context).archive)
    host, path = inventory.found(held, what)
    if generation is not None:
        inventory.log_at(held, what)
    copies = planned(held, host, path, generation, None if as_of is None else moment(as_of))
    size = sum(copy.size for copy in copies)
    if dry_run:
        if json_:
            return emit({"logs": len(copies), "bytes": size, "dry_run": True})
        return click.echo(f"would restore {plural(len(copies), 'log')} ({bytes_(size)}) to {to}")
    with bytes_bar("restoring", quiet=json_) as progress:
        done = write(held, copies, to, overwrite, progress)
    audit.note(held.root, "restore", now(), host=host, logs=done.logs, bytes=done.bytes, to=str(to))
    if json_:
        emit({**done._asdict(), "dry_run": False})
    else:
        same = f", {done.same} were there already" if done.same else ""
        click.echo(f"restored {plural(done.logs, 'log')} ({bytes_(done.bytes)}) to {to}{same}")
    for problem in done.problems:
        complain(f"not restored: {shown(problem)}")
    if done.problems:
        context.exit(1)
    return None


def moment(text: str) -> int:
    """A day (its end) or a time, of this machine's zone where none is said → ms. Raises SiphonError."""
    try:
        day = date.fromisoformat(text)
        return (
            round(datetime.combine(day + timedelta(days=1), clock()).astimezone().timestamp() * 1000) - 1
        )
    except ValueError:
        pass
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except ValueError:
        raise SiphonError(f"{text!r} is no date; write it as 2026-01-31 or 2026-01-31T18:30") from None
