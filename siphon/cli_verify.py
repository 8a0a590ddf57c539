"""`siphon verify` and `siphon prune`: is all of the archive there; and what shall no longer be."""

import re
from collections import Counter

import click

from siphon import audit, inventory
from siphon.archive import Archive
from siphon.cli import as_json, complain, config_of, emit
from siphon.cli_archive import age, now, shown
from siphon.errors import SiphonError
from siphon.figures import bytes_, plural, stamp
from siphon.ledger import Run
from siphon.progress import bytes_bar
from siphon.prune import HostPlan, by_host, plan
from siphon.prune import prune as delete
from siphon.verify import ALL, Finding, Share

_TOLD = 1000  # findings on stderr; all of them with --json


@click.command()
@click.option("--read-data", is_flag=True, help="Read every byte, not only sizes.")
@click.option(
    "--subset", metavar="1/7", help="Read the bytes of this part of the logs; implies --read-data."
)
@click.option("--mend", is_flag=True, help="Have the next collect fetch lost and damaged logs again.")
@as_json
@click.pass_context
def verify(context: click.Context, read_data: bool, subset: str | None, mend: bool, json_: bool) -> None:
    """Check the archive against its ledger: all there, as long as it must be, and (if read) unchanged.

    \b
    siphon verify                 sizes, packed files and the ledger: seconds
    siphon verify --read-data     every byte
    siphon verify --subset 3/7    a seventh of the bytes: one part each day reads all in a week
    siphon verify --read-data --mend    then `siphon collect` replaces what is damaged, where the
                                        host still has the same bytes
    """
    held, at = Archive(config_of(context).archive), now()
    inventory.host_names(held)  # an archive that is not there is no sound one
    share = ALL if subset is None else _share(subset)
    read = read_data or subset is not None
    with bytes_bar("reading", quiet=json_) as progress:
        findings = list(held.verify(read, share, progress))
    logs, size = held.extent(share if read else None)
    error = f"{len(findings)} findings" if findings else None
    run = Run(kind="verify", started_at=at, ended_at=now(), outcome="error" if findings else "ok")
    held.record_run(run._replace(logs_seen=logs, bytes=size, problems=len(findings), error=error))
    again = held.refetch(findings) if mend else 0
    if json_:
        shown_ = [one._asdict() for one in findings]
        emit({"generations": logs, "read": size, "findings": shown_, "refetched": again})
    else:
        what = f"{plural(logs, 'generation')}, {bytes_(size)} read"
        click.echo(
            f"{what}: {'as the ledger says' if not findings else plural(len(findings), 'finding')}"
        )
    for finding in findings[:_TOLD]:
        complain(_line(finding))
    if again:
        complain(f"{plural(again, 'log')} will be fetched again by the next `siphon collect`")
    if len(findings) > _TOLD:
        complain(f"and {len(findings) - _TOLD} more; --json lists all")
    context.exit(int(bool(findings)))


def _share(text: str) -> Share:
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise SiphonError(f"{text!r} is no part; write it as 1/7: the first of seven")
    return Share(int(found[1]), int(found[2]))


def _line(finding: Finding) -> str:
    place = finding.path if finding.host is None else f"{finding.host}/{finding.path}"
    which = f" (generation {finding.generation})" if finding.generation is not None else ""
    return f"{shown(place)}{which}: {finding.what}"


@click.command()
@click.option(
    "--older-than", required=True, metavar="AGE", help="Not written for so long: 90d, 26w, 2y."
)
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Only of this host (repeatable).")
@click.option("--apply", "apply_", is_flag=True, help="Do it; else only the plan is printed.")
@as_json
@click.pass_context
def prune(
    context: click.Context, older_than: str, hosts: tuple[str, ...], apply_: bool, json_: bool
) -> None:
    """Delete old logs from the archive, for good. Without --apply it only says what it would delete.

    A log that a newer one is read with (a parent of a fork, a companion) stays. The ledger keeps each
    deleted log's size, times and hash, so the next collect does not fetch it again unless it changes on
    its host. Its sessions leave the database with the next `siphon load`.
    """
    config, at = config_of(context), now()
    held = Archive(config.archive)
    unknown = Counter(hosts) - Counter(inventory.host_names(held))
    if unknown:
        raise SiphonError(f"no host {next(iter(unknown))!r} in the archive; `siphon archive list`")
    todo = plan(held, config.database, at - age(older_than), hosts, config.skip)
    if apply_ and todo.logs:
        with held.lock("siphon prune", at), bytes_bar("pruning", quiet=json_) as progress:
            _note(held, at, older_than, by_host(todo.logs))
            delete(held, todo.logs, at, progress)
        run = Run(kind="prune", started_at=at, ended_at=now(), outcome="ok", logs_changed=len(todo.logs))
        held.record_run(run._replace(bytes=sum(one.bytes for one in todo.logs)))
    if json_:
        totals = [one._asdict() for one in by_host(todo.logs)]
        return emit({"applied": apply_, "kept": todo.kept, "hosts": totals})
    for one in by_host(todo.logs):
        click.echo(
            f"{one.host}: {plural(one.logs, 'log')} ({plural(one.generations, 'generation')},"
            f" {bytes_(one.bytes)} in {bytes_(one.stored)}), {plural(one.sessions, 'session')},"
            f" written {stamp(one.oldest)} to {stamp(one.newest)}"
        )
    if todo.kept:
        click.echo(f"kept: {plural(todo.kept, 'old log')} that newer ones are read with")
    return click.echo(_outcome(len(todo.logs), apply_))


def _note(held: Archive, at: int, older_than: str, totals: list[HostPlan]) -> None:
    audit.note(
        held.root,
        "prune",
        at,
        older_than=older_than,
        hosts=[one.host for one in totals],
        logs=sum(one.logs for one in totals),
        generations=sum(one.generations for one in totals),
        bytes=sum(one.bytes for one in totals),
        sessions=sum(one.sessions for one in totals),
    )


def _outcome(logs: int, applied: bool) -> str:
    if not logs:
        return "nothing is that old"
    if applied:
        return f"pruned {plural(logs, 'log')}; `siphon load` takes their sessions out of the database"
    return f"would prune {plural(logs, 'log')}; --apply deletes them for good"
