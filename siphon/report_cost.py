"""The report on cost: what the requests of some days cost, by day, model, project, tool and machine."""

from collections.abc import Sequence

from siphon import charts, figures, zones
from siphon.choice import Choice, by_period, fitting
from siphon.report import Bars, Report, Rows, Section, Table, Tile
from siphon.sums import Row, folded, grouped, total

TOKENS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens",
)  # fmt: skip
_SUMS = (*TOKENS, "requests", "unpriced_requests", "incomplete_requests", "cost_usd", "reported_usd")
_SESSIONS = 20
API = (
    "Cost is API-equivalent: what the tokens cost at the API prices of their day. Under a subscription"
    " nobody paid these sums."
)


def report(rows: Rows, chosen: Choice, subtitle: str) -> Report:
    usage = rows("cost_by_hour")
    by = fitting(chosen)
    sections = [
        over_time(usage, by, chosen),
        *(_ranking(usage, key, title) for key, title in _BY),
        _sessions(rows("session_list")),
    ]
    return Report(
        kind="cost",
        title="What it cost",
        subtitle=subtitle,
        tiles=tiles(usage, rows("cache_economics")),
        sections=[section for section in sections if section.table is None or section.table.rows],
        notes=notes(usage),
        data=_data(usage, chosen),
    )


_BY = (("model", "By model"), ("project", "By project"), ("tool", "By tool"), ("host", "By machine"))


def tokens(row: Row) -> int:
    """All classes together."""
    return sum(row[name] or 0 for name in TOKENS)


def tiles(usage: Sequence[Row], caches: Sequence[Row]) -> list[Tile]:
    (sums,) = grouped(usage, [], _SUMS) or [dict.fromkeys(_SUMS)]
    every = tokens(sums)
    prompt = every - (sums["output_tokens"] or 0)
    requests = sums["requests"] or 0
    cost = sums["cost_usd"]
    return [
        Tile(figures.usd(cost), "at API prices"),
        Tile(figures.count(requests), "requests, each once"),
        Tile(figures.count(every), "tokens"),
        Tile(
            f"{(sums['cache_read_tokens'] or 0) / prompt:.0%}" if prompt else "–",
            "of prompts from cache",
        ),
        Tile(figures.usd(total(caches, "saved_usd")), "saved by caching"),
        Tile(figures.usd(cost / requests) if cost is not None and requests else "–", "a request"),
    ]


def over_time(usage: Sequence[Row], by: str, chosen: Choice) -> Section:
    timed = by_period(usage, by, chosen)
    periods = zones.periods(chosen.since, chosen.until, by)
    series = folded(timed, "model", "cost_usd", charts.SERIES, "not told")
    chart = charts.stacked(
        grouped(series, ["period", "model"], ["cost_usd"]),
        "period",
        "cost_usd",
        "model",
        periods=periods,
    )
    sums = {row["period"]: row["cost_usd"] or 0 for row in grouped(timed, ["period"], ["cost_usd"])}
    bars = Bars(periods, [sums.get(name, 0) for name in periods], figures.usd)
    return Section(f"Cost per {by}", chart, bars)


def _ranking(usage: Sequence[Row], key: str, title: str) -> Section:
    found = grouped(folded(usage, key, "cost_usd", 15, "not told"), [key], _SUMS)
    found.sort(key=lambda row: -(row["cost_usd"] or 0))
    lines = [
        (
            str(row[key]),
            figures.count(row["requests"]),
            figures.count(tokens(row)),
            figures.usd(row["cost_usd"]) + ("*" if row["unpriced_requests"] else ""),
        )
        for row in found
    ]
    return Section(title, table=Table((title[3:].capitalize(), "Requests", "Tokens", "Cost"), lines))


def _sessions(sessions: Sequence[Row]) -> Section:
    found = sorted(sessions, key=lambda row: -(row["cost_usd"] or 0))[:_SESSIONS]
    lines = [
        (
            figures.one_line(row["title"], 60),
            row["host"],
            row["tool"],
            row["project"] or "–",
            figures.day(row["started_at"]) or "–",
            figures.usd(row["cost_usd"]),
        )
        for row in found
        if row["cost_usd"]
    ]
    heads = ("Session", "Machine", "Tool", "Project", "Began", "Cost")
    return Section("The sessions that cost most, by the day they began", table=Table(heads, lines, 5))


def notes(usage: Sequence[Row]) -> list[str]:
    """What is counted and what is not; models without a price always among it."""
    missing = [row for row in usage if row["unpriced_requests"]]
    models = grouped(missing, ["model", "tool"], ["unpriced_requests"])
    listed = ", ".join(
        f"{row['model'] or 'no model told'} ({row['tool']},"
        f" {figures.plural(row['unpriced_requests'], 'request')})"
        for row in models
    )
    cut = total(usage, "incomplete_requests") or 0
    stated = total(usage, "reported_usd")
    return [
        "What is counted: each billed response once, however often resumed, forked or copied logs repeat"
        " it, at the hour it began. " + API,
        "What is not: requests that tools do not log, discounts, taxes, free quotas.",
        f"Left out of every sum (*), as no price is known: {listed}."
        if listed
        else "Every request here has a price.",
        *(
            [f"{figures.plural(cut, 'request')} ended before the final usage came and may be larger."]
            if cut
            else []
        ),
        *([f"The tools themselves state {figures.usd(stated)}."] if stated else []),
    ]


def _data(usage: Sequence[Row], chosen: Choice) -> list[Row]:
    days = {
        hour: None if hour is None else zones.local(hour, chosen.zone).date().isoformat()
        for hour in {row["hour"] for row in usage}
    }
    dated = [{**row, "day": days[row["hour"]]} for row in usage]
    keys = ["day", "host", "source", "project", "model"]
    found = grouped(dated, keys, _SUMS)
    return sorted(found, key=lambda row: [str(row[key] or "") for key in keys])
