"""The user's own prices: prices.json beside the archive. They win over those that come with siphon."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from siphon import private
from siphon.errors import SiphonError
from siphon.price_table import Price, PriceRow, PriceTable, load_prices, price_of

FILE = "prices.json"
FIRST_ID = 1_000_001  # above all that come with siphon: an update of these does not move ours
YOURS = "yours"  # how the source of each begins


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prices: tuple[PriceRow, ...]


class Change(NamedTuple):
    """What taking prices in did."""

    added: int
    replaced: int


def own_file(archive: Path) -> Path:
    """Where the user's prices for an archive lie."""
    return archive.parent / FILE


def current_prices(archive: Path) -> PriceTable:
    """All prices as they are now; kept until the file changes. Raises SiphonError."""
    path = own_file(archive)
    try:
        found = path.stat()
    except FileNotFoundError:
        return _with_own(path, None)
    return _with_own(path, (found.st_mtime_ns, found.st_size, found.st_ino))


@lru_cache(4)
def _with_own(path: Path, state: tuple[int, int, int] | None) -> PriceTable:
    """`state`: of the file, so that a changed one is read again."""
    table = load_prices()
    rows = own_rows(path) if state is not None else ()
    return merged(table, rows) if rows else table


def own_rows(path: Path) -> tuple[PriceRow, ...]:
    """The file's prices; none if it is not there. Raises SiphonError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).prices
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise SiphonError(f"{path}: no price table: {error}; mend it, or move it away") from error


def merged(table: PriceTable, rows: Sequence[PriceRow]) -> PriceTable:
    """The table with the user's prices behind its own; raises SiphonError for one that is none."""
    models = {model: dict(sellers) for model, sellers in table.models.items()}
    prices = tuple(_priced(number, row) for number, row in enumerate(sorted(rows, key=_key), FIRST_ID))
    for price in prices:
        sellers = models.setdefault(price.model, {})
        sellers[price.provider] = (*sellers.get(price.provider, ()), price)
    digest = hashlib.sha256(msgspec.json.encode(sorted(rows, key=_key))).hexdigest()[:12]
    return table._replace(
        rows=(*table.rows, *prices), version=f"{table.version} {digest}", models=models, memo={}
    )


def _priced(number: int, row: PriceRow) -> Price:
    try:
        return price_of(number, row)
    except ValueError as error:
        raise SiphonError(str(error)) from None


def _key(row: PriceRow) -> tuple[object, ...]:
    return row.model, row.provider, row.valid_from or "", row.hours


def take(path: Path, rows: Iterable[PriceRow]) -> Change:
    """Add prices; one of the same model, provider and day gives way. Raises SiphonError for bad ones."""
    known = {_key(row): row for row in own_rows(path)}
    new = {_key(row): row for row in rows}
    merged(load_prices(), list(new.values()))
    replaced = sum(key in known and known[key] != row for key, row in new.items())
    _write(path, {**known, **new}.values())
    return Change(len(new.keys() - known.keys()), replaced)


def forget(path: Path, model: str, provider: str | None) -> int:
    """Take out the user's prices of a model, of one provider or all; how many there were."""
    known = own_rows(path)
    kept = [row for row in known if row.model != model or provider not in (None, row.provider)]
    if len(kept) < len(known):
        _write(path, kept)
    return len(known) - len(kept)


def _write(path: Path, rows: Iterable[PriceRow]) -> None:
    lines = [msgspec.json.encode(row).decode() for row in sorted(rows, key=_key)]
    body = ",\n  ".join(lines)
    private.folder(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with private.create(part) as file:
        file.write(f'{{"prices": [\n  {body}\n]}}\n'.encode())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
