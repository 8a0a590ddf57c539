"""Adding up rows of a view by some of their columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
OTHERS = "others ("


def total(rows: Iterable[Mapping[str, Any]], column: str) -> Any:
    """The sum of what is known; None where nothing is."""
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) if known else None


def grouped(rows: Iterable[Mapping[str, Any]], keys: Sequence[str], columns: Sequence[str]) -> list[Row]:
    """One row for each value of `keys`, in the order of first sight, with the columns summed.

    A sum is None where no row of the group knows the value.
    """
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        into = found.get(key)
        if into is None:
            into = found[key] = dict(zip(keys, key, strict=True)) | dict.fromkeys(columns)
        for column in columns:
            value = row[column]
            if value is not None:
                into[column] = value if into[column] is None else into[column] + value
    return list(found.values())


def ranked(rows: Iterable[Mapping[str, Any]], key: str, by: str) -> list[Any]:
    """The values of `key`, the one with the largest sum of `by` first."""
    sums = grouped(rows, [key], [by])
    return [row[key] for row in sorted(sums, key=lambda row: -(row[by] or 0))]


def folded(rows: Iterable[Row], key: str, by: str, most: int, unknown: str) -> list[Row]:
    """Rows whose `key` has at most `most` values: the smallest are `others (n)`, None is `unknown`."""
    rows = list(rows)
    order = ranked(rows, key, by)
    kept = set(order if len(order) <= most else order[: most - 1])
    others = f"{OTHERS}{len(order) - len(kept)})"
    return [
        {**row, key: others if row[key] not in kept else unknown if row[key] is None else row[key]}
        for row in rows
    ]
