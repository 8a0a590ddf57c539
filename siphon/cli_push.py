"""`siphon push`: this machine's logs into a bucket or an inbox, where another siphon collects them."""

import os
import time
from pathlib import Path

import click

from siphon.cli import as_json, complain, config_of, emit


@click.command(name="push")
@click.argument("target")
@click.option("--machine", metavar="NAME", help="Name of this machine there; else its host name.")
@click.option("--endpoint", metavar="URL", help="Of a bucket that is not at AWS, such as MinIO or R2.")
@click.option("--region", help="Of a bucket.")
@click.option("--profile", help="Of ~/.aws, to take the bucket's keys from.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent; send nothing.")
@as_json
@click.pass_context
def push_(
    context: click.Context,
    target: str,
    machine: str | None,
    endpoint: str | None,
    region: str | None,
    profile: str | None,
    dry_run: bool,
    json_: bool,
) -> None:
    """Send this machine's logs to TARGET, from where siphon collects them: only what has changed.

    For machines that nobody can reach, or that will soon be gone.

    \b
    TARGET is a bucket    siphon push s3://team-logs/siphon      (gs://, az://; keys as usual)
      an inbox            siphon push logs@server:inbox          (ssh://server:2222/srv/inbox)
      a folder            siphon push /mnt/share/inbox
      or a bucket's or an inbox's name in siphon.yml.

    Exactly the logs that a collect would take are sent, and nothing is ever removed there.
    docs/buckets.md says how to set up the other side.
    """
    from siphon.config import this_machine
    from siphon.progress import host_lines
    from siphon.push import push

    config = config_of(context)
    with host_lines(quiet=json_) as progress:
        report = push(
            config,
            target,
            machine or this_machine(config.ssh.parent).name,
            environ=os.environ,
            here=Path.cwd(),
            now=lambda: time.time_ns() // 1_000_000,
            options={"endpoint": endpoint, "region": region, "profile": profile},
            dry_run=dry_run,
            progress=progress,
        )
    if json_:
        emit({**report._asdict(), "sent": [one._asdict() for one in report.sent]})
    else:
        click.echo(f"{report.machine} → {report.target}: {report.said()}")
    for problem in report.problems:
        complain(problem)
    context.exit(int(bool(report.problems)))
