"""Where a figure comes from: which prices its requests have, and how their models were matched."""

import sqlite3
from typing import NamedTuple

from siphon import usage
from siphon.usage import Asked


class Origin(NamedTuple):
    """Requests that were priced alike."""

    source: str
    model: str | None
    rule: str | None  # how the model's name was matched; None: not at all
    price_id: int | None
    price_model: str | None
    provider: str | None
    valid_from: int | None  # UTC ms
    table: str | None  # the price's source
    requests: int
    unpriced_requests: int  # without a price and without the tool's own figure: in no sum
    incomplete_requests: int
    tokens: int
    computed_usd: float | None
    reported_usd: float | None
    stated_requests: int  # that have both a computed and a stated cost
    difference_usd: float | None  # of these, computed less stated


def origins(connection: sqlite3.Connection, asked: Asked) -> list[Origin]:
    """What prices the sums of the same question rest on, the dearest first."""
    where, values = usage.where(asked)
    # Sums are by hour: a request belongs to the hour that it began in.
    where = where.replace("u.hour", "u.ts - u.ts % 3600000")
    where = where.replace("u.model", "coalesce(u.model, '')")
    rows = connection.execute(
        f"""
        select s.source, u.model, u.price_rule, u.price_id, q.model, q.provider, q.valid_from, q.source,
            count(*), sum(u.cost_nanousd is null and u.reported_nanousd is null), sum(u.incomplete),
            sum(coalesce(u.input_tokens, 0) + coalesce(u.cache_read_tokens, 0)
                + coalesce(u.cache_write_tokens, 0) + coalesce(u.cache_write_1h_tokens, 0)
                + coalesce(u.output_tokens, 0)),
            sum(u.cost_nanousd) / 1e9, sum(u.reported_nanousd) / 1e9,
            count(u.cost_nanousd + u.reported_nanousd),
            sum(u.cost_nanousd - u.reported_nanousd) / 1e9
        from requests u
        join sessions s on s.id = u.session_id
        left join projects p on p.id = s.project_id
        left join prices q on q.id = u.price_id
        where u.copy_of is null and {where}
        group by 1, 2, 3, 4
        """,
        values,
    )
    found = [Origin(*row) for row in rows]
    return sorted(found, key=lambda one: -(one.computed_usd or one.reported_usd or 0))
