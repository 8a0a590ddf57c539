"""A made-up fleet for whoever has no logs yet: collected, loaded and served like a real one."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import FILE, Config, load_config
from siphon.errors import SiphonError
from siphon.load import load
from siphon.retell import retell

HOMES = Path(__file__).parent / "demo_homes"  # one folder a host, below it the home as templates
MARK = "# Demo data, made up by `siphon demo`: no such session took place, and nobody paid."


def demo(port: int, keep: Path | None, listen: bool) -> None:
    """Make the fleet in `keep`, else in a temporary folder that goes at the end; load and serve it.

    A fleet that `keep` already holds is shown as it is. Raises SiphonError if other things lie there.
    """
    with _folder(keep) as folder:
        if not (folder / FILE).exists():
            fleet(folder, time.time_ns() // 1_000_000)
        config = load_config(folder / FILE, {"HOME": str(folder)}, folder)
        click.echo(MARK.removeprefix("# "))
        click.echo(_loaded(config))
        if keep is not None:
            click.echo(f"It stays in {folder}; siphon --config {folder / FILE} works on it.")
        if listen:
            _listen(config, port)


def fleet(folder: Path, now: int) -> None:
    """Write the hosts' homes and a siphon.yml; the newest session ends before `now` (UTC ms)."""
    hosts = sorted(path.name for path in HOMES.iterdir() if path.is_dir())
    for host in hosts:
        retell(HOMES / host, folder / "homes" / host, now)
    lines = [MARK, "archive: archive", "database: siphon.db", "hosts:"]
    lines += [f"  {host}: {{home: homes/{host}}}" for host in hosts]
    (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="siphon-demo-") as temporary:
            yield Path(temporary)
        return
    kept = keep.absolute()
    if kept.exists() and not _free(kept):
        raise SiphonError(f"{kept}: not an empty folder, and not a demo; name a new folder")
    kept.mkdir(parents=True, exist_ok=True)
    try:
        yield kept
    finally:
        if not (kept / FILE).exists():  # half made: the next run begins anew
            shutil.rmtree(kept / "homes", ignore_errors=True)


def _free(folder: Path) -> bool:
    """Whether the folder is empty, or holds a demo."""
    if not folder.is_dir():
        return False
    config = folder / FILE
    if config.is_file():
        return config.read_text(encoding="utf-8").startswith(MARK)
    return not any(folder.iterdir())


def _loaded(config: Config) -> str:
    """Collect and load; what came of it, in one line."""
    archive = Archive(config.archive)
    reports = collect(config, archive, ())
    for report in reports:
        if report.error is not None:
            raise SiphonError(f"{report.host}: {report.error}")
    done = load(archive, config.database)
    return f"{done.logs} logs of {len(reports)} machines: {', '.join(r.host for r in reports)}"


def _listen(config: Config, port: int) -> None:
    """Serve until interrupted, or told to end: so that the temporary folder goes either way."""
    from siphon.serve import serve

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(f"http://127.0.0.1:{port}/  (end with Ctrl-C)")
    serve(config, host="127.0.0.1", port=port)
