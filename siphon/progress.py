"""Progress of long work on stderr: bars on a terminal, nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bytes_bar(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (bytes done, bytes in all)."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def steps_bar(title: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (steps done, steps in all)."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def host_lines(*, quiet: bool = False) -> Iterator[Callable[[str, str], None]]:
    """Give a function to call with (host, what it is doing now)."""
    if quiet or not sys.stderr.isatty():
        yield lambda _host, _doing: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as lines:
        tasks: dict[str, int] = {}

        def say(host: str, doing: str) -> None:
            if host not in tasks:
                tasks[host] = lines.add_task("")
            lines.update(tasks[host], description=f"{host}: {doing}")  # type: ignore[arg-type]  # a TaskID

        yield say
