"""`siphon up`: collect, load, serve, keep collecting; a new line of a local log shows in two seconds."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from siphon.archive import Archive
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.rounds import Rounds
from siphon.sources import sources
from siphon.watch import Watcher

_ENDING_SECONDS = 5  # for the server to answer what it was asked


def up(config: Config, config_path: Path | None, *, host: str, port: int) -> None:
    """Run until told to end (SIGTERM, SIGINT, SIGHUP), which ends all of it well.

    A failing host or log is told, and tried again. Raises SiphonError if the server cannot run.
    """
    _mind_signals()
    rounds = Rounds(config, Archive(config.archive), click.echo, _complain)
    try:
        with _server(config_path, host, port) as alive, _watching(config, rounds) as extend:
            click.echo(f"siphon serves on http://{host}:{port} and collects every {config.interval} s")
            while True:
                alive()
                extend()
                rounds.step()
    except KeyboardInterrupt:
        click.echo("siphon ends", err=True)
    finally:
        rounds.close()


def _mind_signals() -> None:
    """The first signal to end raises KeyboardInterrupt; the next one ends at once."""
    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup sets it
        signals.append(signal.SIGHUP)

    def end(_signal: int, _frame: object) -> None:
        for one in signals:
            signal.signal(one, signal.SIG_DFL)
        raise KeyboardInterrupt

    for one in signals:
        signal.signal(one, end)


def _complain(text: str) -> None:
    click.echo(f"siphon: {text}", err=True)


@contextmanager
def _server(config_path: Path | None, host: str, port: int) -> Iterator[Callable[[], None]]:
    """The pages in a process of their own: a load never makes a reader wait.

    Gives a function that raises SiphonError if it has ended.
    """
    chosen = [] if config_path is None else ["--config", str(config_path)]
    words = [sys.executable, "-m", "siphon", *chosen, "serve", "--host", host, "--port", str(port)]
    # A group of its own: Ctrl-C reaches us, and we end it.
    server = subprocess.Popen(words, process_group=0)

    def alive() -> None:
        if server.poll() is not None:
            code = server.returncode
            raise SiphonError(f"the server ended with code {code}; `siphon serve` tells why")

    try:
        yield alive
    finally:
        server.terminate()
        try:
            server.wait(timeout=_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def _watching(config: Config, rounds: Rounds) -> Iterator[Callable[[], None]]:
    """Watch the local homes; gives a function that looks for new folders to watch."""
    homes = {
        host.name: host.home
        for host in config.hosts
        if host.transport == "home" and host.home is not None and host.enabled
    }
    wanted = [source for source in sources().values() if source.name not in config.skip]
    globs = [glob for source in wanted for glob in (*source.globs, *source.beside)]
    try:
        watcher = Watcher(homes, globs, rounds.note)
    except OSError as error:
        _complain(f"cannot watch local homes ({error}); new lines show every {config.interval} s")
        yield lambda: None
        return
    told = set()

    def extend() -> None:
        try:
            watcher.extend()
        except OSError as error:
            if str(error) not in told:
                _complain(f"cannot watch more folders: {error}")
            told.add(str(error))

    try:
        yield extend
    finally:
        watcher.close()
