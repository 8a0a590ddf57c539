"""The tables that `siphon usage` prints."""

import sys
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from siphon import figures
from siphon.origins import Origin
from siphon.sources import sources
from siphon.usage import Asked, Line, Sum
from siphon.usage_rows import Row, total, unpriced
from siphon.visible import visible

_HEADS = {
    "daily": "Day", "weekly": "Week of", "monthly": "Month", "session": "Session", "blocks": "Block",
    "model": "Model", "project": "Project", "host": "Host", "source": "Tool",
}  # fmt: skip
_NARROW = 100  # columns of the terminal: below, cache and models are left out
_UNTOLD = "(not told)"


def _console() -> Console:
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=200, no_color=True)


def print_table(by: str, rows: Sequence[Row], breakdown: bool, asked: Asked) -> None:
    """The table on stdout; on stderr what it means and leaves out."""
    console = _console()
    wide = console.width >= _NARROW
    listing = wide and by != "model" and not breakdown
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True, footer_style="bold")
    table.add_column(_HEADS[by], footer="All", no_wrap=by != "session", overflow="ellipsis")
    if by == "blocks":
        table.add_column("Tool")
    if listing:
        table.add_column("Models", style="dim", no_wrap=True, overflow="ellipsis")
    for name, figure in zip(_columns(wide), _cells(total(rows), wide), strict=True):
        table.add_column(name, footer=figure, justify="right", no_wrap=True)
    if by == "blocks":
        table.add_column("an hour", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_line(by, row, wide, listing))
        for model, sum_ in row.line.models if breakdown else ():
            table.add_row(*_part(by, model, sum_, wide), style="dim")
    console.print(table)
    _print_notes(rows, asked)


def _columns(wide: bool) -> tuple[str, ...]:
    cache = ("Cache write", "Cache read") if wide else ()
    return ("Requests", "Input", "Output", *cache, "Tokens", "Cost")


def _cells(sum_: Sum, wide: bool) -> tuple[str, ...]:
    cache = (sum_.cache_write_tokens + sum_.cache_write_1h_tokens, sum_.cache_read_tokens)
    counts = (sum_.input_tokens, sum_.output_tokens, *(cache if wide else ()), sum_.tokens)
    mark = "*" if sum_.unpriced_requests else ""
    return (f"{sum_.requests:,}", *map(figures.count, counts), figures.usd(sum_.cost_usd) + mark)


def _line(by: str, row: Row, wide: bool, listing: bool) -> tuple[str, ...]:
    name = _title(row.key) if by == "source" else row.key
    cells = [row.more["title"] if by == "session" else name]
    cells += [_title(row.more["source"])] if by == "blocks" else []
    if listing:
        cells.append(_models(row.line))
    rate = [figures.usd(row.more["cost_usd_per_hour"])] if by == "blocks" else []
    words = (escape(visible(figures.one_line(cell or _UNTOLD, 80))) for cell in cells)
    return (*words, *_cells(row.line.sum, wide), *rate)


def _models(line: Line) -> str:
    names = [model or _UNTOLD for model, _ in line.models]
    return ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")


def _part(by: str, model: str | None, sum_: Sum, wide: bool) -> tuple[str, ...]:
    blank = [""] if by == "blocks" else []
    return (f"  {escape(visible(model or _UNTOLD))}", *blank, *_cells(sum_, wide), *blank)


def _title(name: str | None) -> str | None:
    return sources()[name].title if name is not None and name in sources() else name


def _print_notes(rows: Sequence[Row], asked: Asked) -> None:
    """On stderr: what the sums mean, and what they leave out."""
    click.echo(f"API-equivalent cost; days in {asked.zone.name}", err=True)
    for model, requests in unpriced(rows).items():
        name = visible(model or "a model that the logs do not name")
        left_out = f"{figures.plural(requests, 'request')} of {name}: no price is known"
        click.echo(f"siphon: * leaves out {left_out}", err=True)


def print_origins(found: Sequence[Origin]) -> None:
    """How the requests are priced."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Tool", "Model, as logged", "Priced as", "Matched", "Since", "Table"):
        table.add_column(name)
    for name in ("Requests", "Cut short", "Tokens", "Computed", "Stated by tool"):
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(*(escape(visible(cell)) for cell in _origin(one)))
    _console().print(table)


def _origin(one: Origin) -> tuple[str, ...]:
    priced = f"{one.provider}/{one.price_model} (#{one.price_id})" if one.price_id is not None else "–"
    return (
        _title(one.source) or "",
        one.model or _UNTOLD,
        priced,
        one.rule or "no price is known",
        figures.day(one.valid_from) or "ever" if one.price_id is not None else "–",
        one.table or "–",
        f"{one.requests:,}",
        f"{one.incomplete_requests:,}",
        figures.count(one.tokens),
        figures.usd(one.computed_usd),
        figures.usd(one.reported_usd),
    )
