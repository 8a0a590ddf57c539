"""`fab` tasks of a checkout: the same commands as `siphon`, by the same code."""

from fabric import task
from invoke import Context
from invoke.exceptions import Exit

from siphon.cli import run

__all__ = ["collect", "demo", "hosts", "load", "search", "serve", "sources", "status", "up", "verify"]


def _siphon(*words: str) -> None:
    code = run(list(words))
    if code:
        raise Exit(code=code)


@task(help={"hosts": "names from siphon.yml, comma separated; default all", "dry-run": "say, do not do"})
def collect(_: Context, hosts: str = "", dry_run: bool = False) -> None:
    """Fetch new log bytes from the hosts into the archive."""
    _siphon("collect", *filter(None, hosts.split(",")), *(["--dry-run"] if dry_run else []))


@task(help={"rebuild": "build the database anew beside the old one, then publish it"})
def load(_: Context, rebuild: bool = False) -> None:
    """Read what has changed in the archive into the database."""
    _siphon("load", *(["--rebuild"] if rebuild else []))


@task
def serve(_: Context) -> None:
    """Serve the database on http://127.0.0.1:8001."""
    _siphon("serve")


@task
def up(_: Context) -> None:
    """Collect, load, serve, and keep collecting."""
    _siphon("up")


@task
def status(_: Context) -> None:
    """Hosts, logs, sessions, and what went wrong."""
    _siphon("status")


@task(help={"query": 'words, "phrases", prefix*'})
def search(_: Context, query: str) -> None:
    """Search all sessions."""
    _siphon("search", query)


@task
def sources(_: Context) -> None:
    """The tools siphon reads."""
    _siphon("sources")


@task
def hosts(_: Context) -> None:
    """The hosts of siphon.yml, reached and looked at; nothing is collected."""
    _siphon("hosts", "check")


@task
def verify(_: Context) -> None:
    """Check the archive against its ledger."""
    _siphon("verify")


@task
def demo(_: Context) -> None:
    """Serve a generated fleet of three machines, from a temporary folder."""
    _siphon("demo")
