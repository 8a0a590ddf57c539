"""The tables that `siphon usage` prints."""

import shutil
import sys
from collections.abc import Iterator, Sequence

import click

from siphon import figures
from siphon.origins import Origin
from siphon.sources import sources
from siphon.texttable import Column, printed
from siphon.texttable import Line as Text
from siphon.usage import Asked, Line, Sum
from siphon.usage_rows import Row, Table
from siphon.visible import visible

_HEADS = {
    "daily": "Day", "weekly": "Week of", "monthly": "Month", "session": "Session", "blocks": "Block",
    "model": "Model", "project": "Project", "host": "Host", "source": "Tool",
}  # fmt: skip
_NARROW = 100  # columns of the terminal: below, cache and models are left out
_UNTOLD = "(not told)"


def _width() -> int | None:
    """Columns of the terminal; None: what reads us is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_table(by: str, table: Table, breakdown: bool, asked: Asked) -> None:
    """The table on stdout; on stderr what it means and leaves out."""
    width = _width()
    wide = width is None or width >= _NARROW
    listing = wide and by != "model" and not breakdown
    _echo(
        _columns(by, wide, listing),
        list(_lines(by, table.rows, wide, listing, breakdown)),
        _foot(by, table.total, wide, listing),
    )
    _print_notes(by, table, asked)


def _echo(columns: Sequence[Column], lines: list[Text], foot: Sequence[str] | None = None) -> None:
    shown = printed(columns, lines, foot, _width(), styled=sys.stdout.isatty())
    click.echo("\n".join(shown))


def _columns(by: str, wide: bool, listing: bool) -> list[Column]:
    cache = ("Cache write", "Cache read") if wide else ()
    numbers = ("Requests", "Input", "Output", *cache, "Tokens", "Cost")
    return [
        Column(_HEADS[by], cut=True),
        *([Column("Tool")] if by == "blocks" else []),
        *([Column("Models", cut=True)] if listing else []),
        *(Column(name, right=True) for name in numbers),
        *([Column("an hour", right=True)] if by == "blocks" else []),
    ]


def _foot(by: str, total: Sum, wide: bool, listing: bool) -> list[str]:
    words = ["All", *([""] if by == "blocks" else []), *([""] if listing else [])]
    return [*words, *_cells(total, wide), *([""] if by == "blocks" else [])]


def _lines(by: str, rows: Sequence[Row], wide: bool, listing: bool, breakdown: bool) -> Iterator[Text]:
    for row in rows:
        yield Text(_line(by, row, wide, listing))
        for model, sum_ in row.line.models if breakdown else ():
            yield Text(_part(by, model, sum_, wide), faint=True)


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
    return (*map(_word, cells), *_cells(row.line.sum, wide), *rate)


def _word(text: str | None) -> str:
    return visible(figures.one_line(text or _UNTOLD, 80))


def _models(line: Line) -> str:
    names = [model or _UNTOLD for model, _ in line.models]
    return ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "")


def _part(by: str, model: str | None, sum_: Sum, wide: bool) -> tuple[str, ...]:
    blank = [""] if by == "blocks" else []
    return (f"  {_word(model)}", *blank, *_cells(sum_, wide), *blank)


def _title(name: str | None) -> str | None:
    return sources()[name].title if name is not None and name in sources() else name


def _print_notes(by: str, table: Table, asked: Asked) -> None:
    """On stderr: what the sums mean, and what they leave out."""
    click.echo(
        "API-equivalent cost: what the tokens cost at API prices, also where a subscription covers them;"
        f" days in {asked.zone.name}",
        err=True,
    )
    if table.earlier:
        what = "block" if by == "blocks" else "session"
        earlier = figures.plural(table.earlier, f"earlier {what}")
        click.echo(f"{earlier} summed up below, not listed; --limit 0 lists all", err=True)
    for model, requests in table.unpriced.items():
        name = visible(model or "a model that the logs do not name")
        left_out = f"{figures.plural(requests, 'request')} of {name}: no price is known"
        click.echo(f"siphon: * leaves out {left_out}; `siphon prices set` gives one", err=True)


_ORIGIN = (
    *(Column(name) for name in ("Tool", "Model, as logged", "Priced as", "Matched", "Since", "Table")),
    *(
        Column(name, right=True)
        for name in ("Requests", "Cut short", "Tokens", "Computed", "Stated by tool", "Difference")
    ),
)


def print_origins(found: Sequence[Origin]) -> None:
    """How the requests are priced, and what no sum holds."""
    _echo(_ORIGIN, [Text(tuple(map(visible, _origin(one)))) for one in found], _origins_foot(found))
    unpriced = sum(one.unpriced_requests for one in found)
    cut = sum(one.incomplete_requests for one in found)
    both = [one for one in found if one.stated_requests]
    click.echo(
        f"{figures.plural(unpriced, 'request')} without any price; {figures.plural(cut, 'request')} cut"
        " short, whose final usage never came; difference: computed less stated, of the"
        f" {figures.plural(sum(one.stated_requests for one in both), 'request')} that have both",
        err=True,
    )


def _origins_foot(found: Sequence[Origin]) -> list[str]:
    figures_ = (
        f"{sum(one.requests for one in found):,}",
        f"{sum(one.incomplete_requests for one in found):,}",
        figures.count(sum(one.tokens for one in found)),
        figures.usd(_sum([one.computed_usd for one in found])),
        figures.usd(_sum([one.reported_usd for one in found])),
        _signed(_sum([one.difference_usd for one in found])),
    )
    return ["All", "", "", "", "", "", *figures_]


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _signed(amount: float | None) -> str:
    if amount is None:
        return "–"
    return ("-" if amount < 0 else "+") + figures.usd(abs(amount))


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
        _signed(one.difference_usd),
    )
