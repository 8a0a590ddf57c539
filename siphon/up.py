"""`siphon up`: collect, load, serve, keep collecting; a new line of a local log shows in two seconds."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.load import load
from siphon.progress import bytes_bar, host_lines
from siphon.sources import sources
from siphon.watch import Changes, watch


def up(config: Config, config_path: Path | None, *, host: str, port: int) -> None:
    """Run until interrupted. A failing host or log is told and tried again at the next interval."""
    signal.signal(signal.SIGTERM, _interrupt)
    changes, archive = Changes(), Archive(config.archive)
    _round(config, archive, ())
    with _server(config_path, host, port) as server, _watching(config, changes):
        click.echo(f"siphon serves on http://{host}:{port} and collects every {config.interval} s")
        _keep_collecting(config, archive, changes, server)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _keep_collecting(
    config: Config, archive: Archive, changes: Changes, server: subprocess.Popen[bytes]
) -> None:
    due = time.monotonic() + config.interval
    while True:
        names = changes.take(min(1.0, due - time.monotonic()))
        if server.poll() is not None:
            raise SiphonError(
                f"the server ended with code {server.returncode}; `siphon serve` tells why"
            )
        if time.monotonic() >= due:
            _round(config, archive, ())
            due = time.monotonic() + config.interval
        elif names:
            _round(config, archive, sorted(names))


def _round(config: Config, archive: Archive, hosts: Sequence[str]) -> None:
    """Collect (all hosts, or some) and load; what fails is told, and the rest goes on."""
    try:
        with host_lines() as progress:
            reports = collect(config, archive, hosts, dry_run=False, progress=progress)
        for report in reports:
            if report.error is not None:
                _tell(f"{report.host}: {report.error}")
        with bytes_bar("loading") as bar:
            done = load(archive, config.database, skip=config.skip, progress=bar)
    except SiphonError as error:
        _tell(str(error))
        return
    for place, error_text in done.failed:
        _tell(f"{place}: not loaded: {error_text}")
    if done.changed:
        click.echo(f"{done.changed} logs read, {done.rows} rows written")


def _tell(text: str) -> None:
    click.echo(f"siphon: {text}", err=True)


@contextmanager
def _server(config_path: Path | None, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The pages in a process of their own: a load never makes a reader wait."""
    chosen = [] if config_path is None else ["--config", str(config_path)]
    words = [sys.executable, "-m", "siphon", *chosen, "serve", "--host", host, "--port", str(port)]
    server = subprocess.Popen(words)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()


@contextmanager
def _watching(config: Config, changes: Changes) -> Iterator[None]:
    homes = {host.name: host.home for host in config.hosts if host.home is not None and host.enabled}
    globs = [
        glob
        for source in sources().values()
        if source.name not in config.skip
        for glob in (*source.globs, *source.beside)
    ]
    try:
        observer = watch(homes, globs, changes)
    except OSError as error:
        _tell(f"cannot watch local homes ({error}); new lines show every {config.interval} s")
        yield
        return
    try:
        yield
    finally:
        observer.stop()
        observer.join(timeout=5)
