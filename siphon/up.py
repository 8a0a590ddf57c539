"""`siphon up`: collect, load, serve, keep collecting; a new line of a local log shows in two seconds."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from siphon import leash
from siphon.archive import Archive
from siphon.config import Config, load_config
from siphon.errors import SiphonError
from siphon.reread import Reread
from siphon.rounds import Rounds
from siphon.sources import sources
from siphon.watch import Watcher

_ENDING_SECONDS = 5  # for the server to answer what it was asked


def up(config: Config, config_path: Path | None, *, host: str, port: int) -> None:
    """Run until told to end (SIGTERM, SIGINT, SIGHUP), which ends all of it well.

    A failing host or log is told, and tried again; siphon.yml is read again when it has changed. Raises
    SiphonError if the server cannot run.
    """
    _mind_signals()
    rounds = Rounds(config, Archive(config.archive), click.echo, _complain)
    reread = Reread(partial(load_config, config_path, os.environ, Path.cwd()), config)
    try:
        with _server(config_path, host, port) as server:
            click.echo(f"siphon serves on http://{host}:{port} and collects every {config.interval} s")
            while True:
                config = _until_changed(config, reread, rounds, server)
                rounds.take(config)
                server.again()
                click.echo(f"{config.path} has changed: from now on it is in force")
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


def _until_changed(config: Config, reread: Reread, rounds: Rounds, server: "_Server") -> Config:
    """Collect and load until siphon.yml says something else; that."""
    with _watching(config, rounds) as extend:
        while True:
            server.alive()
            extend()
            rounds.step()
            new = reread.changed(_complain)
            if new is not None:
                return new


class _Server:
    """The pages in a process of their own: a load never makes a reader wait."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._process = leash.begin(words)

    def alive(self) -> None:
        """Raises SiphonError if it has ended."""
        if self._process.poll() is not None:
            code = self._process.returncode
            raise SiphonError(f"the server ended with code {code}; `siphon serve` tells why")

    def again(self) -> None:
        """Start it anew, as it reads siphon.yml when it starts."""
        self.end()
        self._process = leash.begin(self._words)

    def end(self) -> None:
        """Let it answer what it was asked."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(timeout=_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def _server(config_path: Path | None, host: str, port: int) -> Iterator[_Server]:
    chosen = [] if config_path is None else ["--config", str(config_path)]
    server = _Server([*chosen, "serve", "--host", host, "--port", str(port)])
    try:
        yield server
    finally:
        server.end()


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
