"""The `siphon` command: parses options, calls, prints. Exit codes: 0 well, 1 something failed
(each failure is a line on stderr), 2 wrong usage, 130 interrupted."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from siphon.errors import SiphonError

if TYPE_CHECKING:
    from siphon.archive import Archive
    from siphon.config import Config

_EPILOG = """
Exit codes: 0 all went well; 1 something failed, and stderr says what, where and the way out;
2 wrong usage; 130 interrupted.
"""


# Commands that stand in modules of their own, imported only when asked for: name -> (module, attribute).
_ELSEWHERE = {
    "collect": ("siphon.cli_collect", "collect_"),
    "archive": ("siphon.cli_archive", "archive"),
    "doctor": ("siphon.cli_doctor", "doctor"),
    "restore": ("siphon.cli_archive", "restore"),
    "verify": ("siphon.cli_verify", "verify"),
    "prune": ("siphon.cli_verify", "prune"),
    "auth": ("siphon.cli_auth", "auth_"),
    "budget": ("siphon.cli_budget", "budget"),
    "coverage": ("siphon.cli_coverage", "coverage_"),
    "health": ("siphon.cli_health", "health_"),
    "export": ("siphon.cli_export", "export_"),
    "hosts": ("siphon.cli_hosts", "hosts_"),
    "push": ("siphon.cli_push", "push_"),
    "prices": ("siphon.cli_prices", "prices_"),
    "report": ("siphon.cli_report", "report"),
    "reprice": ("siphon.cli_reprice", "reprice"),
    "search": ("siphon.cli_read", "search_"),
    "service": ("siphon.cli_service", "service"),
    "sessions": ("siphon.cli_read", "sessions"),
    "show": ("siphon.cli_read", "show"),
    "status": ("siphon.cli_status", "status"),
    "usage": ("siphon.cli_usage", "usage_"),
}


class _Commands(click.Group):
    """Imports a command of another module only when it, or the list, is asked for: what they print
    with takes longer to import than a load in which nothing changed.
    """

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, attribute = _ELSEWHERE[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="siphon.yml to use; else $SIPHON_CONFIG, ./siphon.yml, or the user's config folder.",
)
@click.version_option(package_name="siphon-archive", prog_name="siphon")
@click.pass_context
def siphon(context: click.Context, config_path: Path | None) -> None:
    """One searchable archive of every AI coding session, over all machines and all tools.

    \b
    New here?   siphon demo            a made-up fleet, to look around
                siphon up              this machine's sessions on http://127.0.0.1:8001
    Daily use:  siphon collect && siphon load
                siphon search "flaky test"
    """
    context.obj = config_path


def config_of(context: click.Context) -> "Config":
    from siphon.config import load_config

    return load_config(context.obj, os.environ, Path.cwd())


as_json = click.option("--json", "json_", is_flag=True, help="Print only JSON on stdout.")


def emit(value: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def complain(text: str) -> None:
    click.echo(f"siphon: {text}", err=True)


def _plain(value: Any) -> Mapping[str, object]:
    return {
        name: str(part) if isinstance(part, Path) else part for name, part in value._asdict().items()
    }


@siphon.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--host", help="Host name to file PATHs under; else made from each path's name.")
@click.option("--rebuild", is_flag=True, help="Build the database anew beside the old one, then swap.")
@click.option(
    "--retry", is_flag=True, help="Try quarantined logs again: those that failed to parse too often."
)
@as_json
@click.pass_context
def load(
    context: click.Context,
    paths: tuple[Path, ...],
    host: str | None,
    rebuild: bool,
    retry: bool,
    json_: bool,
) -> None:
    """Read what has changed in the archive into the database.

    With PATHs (exported or copied logs of any tool: files, folders, .zip, .tar.gz) those are filed in
    the archive first, recognised by their paths, else by content. What of them is no log is left out
    and named; that nothing is one, or that one may be of several tools, is an error.

    The database is made from the archive alone: deleting it, or --rebuild, loses nothing.
    """
    from siphon.archive import Archive
    from siphon.load import load as read
    from siphon.progress import bytes_bar

    config = config_of(context)
    archive = Archive(config.archive)
    filed = _file_loose(archive, paths, host)
    with bytes_bar("loading", quiet=json_) as progress:
        done = read(
            archive,
            config.database,
            rebuild=rebuild,
            skip=config.skip,
            tries=None if retry else config.health.tries,
            progress=progress,
        )
    if json_:
        emit({**_plain(done), "filed": [_plain(one) for one in filed]})
    else:
        for one in filed:
            if one.source is not None and one.error is None:
                how = "filed as" if one.new else "already"
                click.echo(f"{one.file}: {one.source}, {how} {one.host}/{one.path}")
        click.echo(
            f"{done.changed} of {done.logs} logs read ({_size(done.bytes)}), {done.rows} rows written"
            f"{', database built anew' if done.rebuilt else ''}"
        )
    if done.problems:
        complain(f"{done.problems} parts of logs could not be read; list them: siphon status --problems")
    errors = [f"{place}: not loaded: {error}" for place, error in done.failed]
    notices, refusals = _told(filed)
    errors += refusals
    for line in (*notices, *errors):
        complain(line)
    context.exit(int(bool(errors)))


def _file_loose(archive: "Archive", paths: tuple[Path, ...], host: str | None) -> list[Any]:
    if not paths:
        return []
    from siphon.loose import file_loose

    return file_loose(archive, paths, host)


def _told(filed: list[Any]) -> tuple[list[str], list[str]]:
    """What of the loose files was left out, and what went wrong with others."""
    if not filed:
        return [], []
    from siphon.loose import notices, refusals

    return list(notices(filed)), list(refusals(filed))


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


@siphon.command()
@as_json
def sources(json_: bool) -> None:
    """The tools siphon reads, and where their logs lie."""
    from siphon.sources import sources as known

    rows = [
        {"name": one.name, "title": one.title, "globs": one.globs, "evidence": one.evidence}
        for one in known().values()
    ]
    if json_:
        return emit(rows)
    for row in rows:
        click.echo(f"{row['name']:16} {row['title']}")
        for glob in row["globs"]:
            click.echo(f"{'':16} ~/{glob}")
    return None


@siphon.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True)
@click.pass_context
def serve(context: click.Context, host: str, port: int) -> None:
    """Serve the database with Datasette: pages, JSON, SQL, notebooks. Read-only."""
    from siphon.serve import serve as listen

    listen(config_of(context), host=host, port=port)


@siphon.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True)
@click.pass_context
def up(context: click.Context, host: str, port: int) -> None:
    """Collect, load, serve, and keep collecting: what `make run` does."""
    from siphon.up import up as run_all

    run_all(config_of(context), context.obj, host=host, port=port)


@siphon.command()
@click.option("--port", default=8001, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Make it in this folder, and leave it.")
@click.option("--no-serve", is_flag=True, help="Only make and load it.")
def demo(port: int, keep: Path | None, no_serve: bool) -> None:
    """Serve a made-up fleet of three machines, to look around without logs of your own."""
    from siphon.demo import demo as show_fleet

    show_fleet(port=port, keep=keep, listen=not no_serve)


def run(words: Sequence[str] | None = None) -> int:
    """Run one command line; its exit code. Errors meant for users end as one line on stderr."""
    try:
        code = siphon.main(args=words, prog_name="siphon", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except SiphonError as error:
        complain(str(error))
        return 1
    except BrokenPipeError:
        return _closed_pipe()
    return code if isinstance(code, int) else 0


def _closed_pipe() -> int:
    """Whoever read our output has gone, as `siphon … | head` does; nothing is wrong."""
    sys.stdout = None  # nothing more can be written
    return 0


def main() -> None:
    sys.exit(run())


Command = Callable[..., object]
