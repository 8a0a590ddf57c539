"""`siphon prices`: what models cost, and the prices that are the user's own."""

import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from siphon import figures
from siphon.cli import as_json, config_of, emit
from siphon.errors import SiphonError
from siphon.model_names import spelled
from siphon.own_prices import FIRST_ID, YOURS, current_prices, forget, own_file, take
from siphon.price_table import ANYONE, NANO, Price, PriceRow
from siphon.prices import find
from siphon.texttable import Column, Line, printed
from siphon.times import millis

_AGAIN = "`siphon reprice` (or the next load) reckons all costs anew"
_MARK = "*"  # of the user's own


@click.group(name="prices")
def prices_() -> None:
    """What models cost: the table that comes with siphon, and your own prices, which win.

    \b
    Examples:
      siphon prices list opus
      siphon prices show claude-sonnet-4-5 --at 2026-03-01
      siphon prices set house-model --input 1.50 --output 6
      siphon prices import model_prices_and_context_window.json
    """


@prices_.command(name="list")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--own", is_flag=True, help="Only your own.")
@as_json
@click.pass_context
def list_(context: click.Context, words: tuple[str, ...], own: bool, json_: bool) -> None:
    """All prices whose model or provider holds every WORD.

    \b
    Example:
      siphon prices list anthropic 4-5
    """
    table = current_prices(config_of(context).archive)
    found = [
        price
        for price in table.rows
        if all(word.lower() in f"{price.provider}/{price.model}" for word in words)
        and (not own or _own(price))
    ]
    if json_:
        return emit([_plain(price) for price in found])
    _print(found)
    notes = f"{figures.plural(len(found), 'price')}, USD per million tokens; table {table.version}"
    return click.echo(f"{notes}; {_MARK} yours", err=True)


@prices_.command()
@click.argument("model")
@click.option(
    "--at", metavar="DAY", help="The day whose price is wanted, such as 2026-03-01; else today."
)
@click.option("--provider", metavar="NAME", help="Who billed it, as logs name them.")
@as_json
@click.pass_context
def show(context: click.Context, model: str, at: str | None, provider: str | None, json_: bool) -> None:
    """How a model's name is read, and what it cost on a day.

    \b
    Examples:
      siphon prices show claude-opus-4-5
      siphon prices show gpt-5.5 --at 2026-01-31
    """
    table = current_prices(config_of(context).archive)
    ts = millis(_day(at)) if at is not None else time.time_ns() // 1_000_000
    match = find(table, model, ts, provider)
    if match is None:
        raise SiphonError(f"{model}: no price is known; `siphon prices set {model} …` gives one")
    every = [price for price in table.rows if price.model == match.price.model]
    if json_:
        said = {"model": model, "matched": match.rule, "price": _plain(match.price)}
        return emit({**said, "all": [_plain(price) for price in every]})
    click.echo(f"{model}: read as {match.price.model} ({match.rule})")
    click.echo(f"in force: price {match.price.id} of {match.price.provider}, {match.price.source}")
    return _print(every, match.price)


@prices_.command(name="import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "since", metavar="DAY", help="From when undated prices hold; else today.")
@as_json
@click.pass_context
def import_(context: click.Context, file: Path, since: str | None, json_: bool) -> None:
    """Take prices from a list of litellm or genai-prices, a JSON file.

    What siphon knows already is left out. litellm's prices are of one moment: they hold from today on
    (or --from), and ever since for models without any price.

    \b
    Example:
      siphon prices import model_prices_and_context_window.json --from 2026-11-01
    """
    from siphon.price_import import imported

    config = config_of(context)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SiphonError(f"{file}: {error.strerror}") from None
    day = _day(since) if since is not None else date.today().isoformat()
    found = imported(content, str(file), day, current_prices(config.archive))
    change = take(own_file(config.archive), found.rows)
    if json_:
        return emit({**change._asdict(), "known": found.known, "skipped": found.skipped})
    click.echo(
        f"{change.added} prices added, {change.replaced} replaced, {found.known} known already,"
        f" {found.skipped} without a price for input and output"
    )
    return click.echo(_AGAIN, err=True)


@prices_.command(name="set")
@click.argument("model")
@click.option(
    "--input", "input_", required=True, metavar="USD", help="A million uncached prompt tokens."
)
@click.option("--output", required=True, metavar="USD", help="A million output tokens.")
@click.option("--cache-read", metavar="USD", help="A million tokens from the cache; else as input.")
@click.option("--cache-write", metavar="USD", help="A million tokens to the cache for 5 minutes.")
@click.option("--cache-write-1h", metavar="USD", help="A million tokens to the cache for an hour.")
@click.option("--provider", default=ANYONE, help="Only where this provider billed; else whoever did.")
@click.option("--from", "since", metavar="DAY", help="The first day it holds; else it always did.")
@click.pass_context
def set_(
    context: click.Context,
    model: str,
    input_: str,
    output: str,
    cache_read: str | None,
    cache_write: str | None,
    cache_write_1h: str | None,
    provider: str,
    since: str | None,
) -> None:
    """Say what a model costs. Your own prices win over all others, and are marked.

    \b
    Examples:
      siphon prices set house-model --input 0 --output 0
      siphon prices set gpt-5.5 --input 2 --output 12 --cache-read 0.2 --from 2026-11-01
    """
    path = own_file(config_of(context).archive)
    row = PriceRow(
        model=spelled(model),
        provider=provider.lower(),
        input=input_,
        output=output,
        cache_read=cache_read,
        cache_write_5m=cache_write,
        cache_write_1h=cache_write_1h,
        valid_from=None if since is None else _day(since),
        source=f"{YOURS}, set {date.today().isoformat()}",
    )
    # A price that always held leaves nothing of what was said before.
    before = forget(path, row.model, row.provider) if since is None else 0
    change = take(path, [row])
    click.echo(f"{row.model}: {'replaced' if before or change.replaced else 'written'} in {path}")
    click.echo(_AGAIN, err=True)


@prices_.command(name="forget")
@click.argument("model")
@click.option("--provider", metavar="NAME", help="Only those of this provider.")
@click.pass_context
def forget_(context: click.Context, model: str, provider: str | None) -> None:
    """Take out your own prices of a model.

    \b
    Example:
      siphon prices forget house-model
    """
    count = forget(own_file(config_of(context).archive), spelled(model), provider)
    if not count:
        raise SiphonError(f"{model}: no price of yours; `siphon prices list --own` lists them")
    click.echo(f"{figures.plural(count, 'price')} forgotten")
    click.echo(_AGAIN, err=True)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise SiphonError(f"{text!r} is no day; write it as 2026-01-31") from None


def _own(price: Price) -> bool:
    return price.id >= FIRST_ID


def _plain(price: Price) -> dict[str, Any]:
    classes = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    return {
        "id": price.id,
        "model": price.model,
        "provider": price.provider,
        "valid_from": figures.day(price.valid_from),
        "hours": [list(span) for span in price.hours],
        **{name: _million(getattr(price, name)) for name in classes},
        "bands": [
            {"over": band.over, **{name: _million(getattr(band, name)) for name in classes}}
            for band in price.bands
        ],
        "source": price.source,
        "own": _own(price),
    }


def _million(price: int | None) -> float | None:
    return None if price is None else price / NANO


_PRICE = (
    *(Column(name) for name in ("Model", "Provider", "Since")),
    *(
        Column(name, right=True)
        for name in ("Input", "Cache read", "Write 5 min", "Write 1 h", "Output")
    ),
    Column("From"),
)


def _print(found: Sequence[Price], marked: Price | None = None) -> None:
    lines = [Line(_cells(price)) for price in found]
    foot = None if marked is None else ["in force:", *_cells(marked)[1:]]
    click.echo("\n".join(printed(_PRICE, lines, foot, None, sys.stdout.isatty())))


def _cells(price: Price) -> tuple[str, ...]:
    classes = (
        price.input, price.cache_read, price.cache_write_5m, price.cache_write_1h, price.output,
    )  # fmt: skip
    since = figures.day(price.valid_from) or "ever"
    hours = ", ".join(f"{_clock(start)}–{_clock(end)} UTC" for start, end in price.hours)
    bands = "".join(f", more over {band.over:,} tokens" for band in price.bands)
    return (
        price.model + (f" {_MARK}" if _own(price) else ""),
        price.provider,
        f"{since} {hours}".rstrip(),
        *(_text(one) for one in classes),
        price.source + bands,
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _text(price: int | None) -> str:
    if price is None:
        return "–"
    whole, part = divmod(price, NANO)
    digits = f"{part:09}".rstrip("0")
    return f"{whole}.{digits:<02}" if digits else str(whole)
