# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="Cost", css_file="notebooks.css")


@app.cell(hide_code=True)
def _():
    import os
    from pathlib import Path

    import marimo as mo

    from siphon import charts, figures, notebook, sums, zones

    arguments = mo.cli_args()
    path = notebook.database(notebook.path_of(arguments, "database"), os.environ, Path.cwd())
    site = notebook.site(notebook.path_of(arguments, "site"))
    connection = notebook.opened(path)
    return charts, connection, figures, mo, notebook, site, sums, zones


@app.cell(hide_code=True)
def _(connection, mo, notebook):
    seen = notebook.controls(connection)
    per = mo.ui.dropdown(["fitting", "day", "week", "month"], value="fitting", label="Bars per")
    split = mo.ui.dropdown(
        {"Model": "model", "Tool": "tool", "Host": "host", "Project": "project"},
        value="Model",
        label="Colours by",
    )
    return per, seen, split


@app.cell(hide_code=True)
def _(connection, mo, notebook, per, seen, split):
    chosen = notebook.choice(connection, seen.value)
    mo.vstack(
        [
            mo.md(f"# What it cost\n\n{notebook.told(chosen)}"),
            notebook.bar(seen, per, split),
        ]
    )
    return (chosen,)


@app.cell(hide_code=True)
def _(chosen, connection, mo, notebook):
    usage = notebook.rows(connection, "cost_by_hour", chosen)
    mo.stop(not usage, mo.callout(mo.md("No requests in this selection."), kind="neutral"))
    return (usage,)


@app.cell(hide_code=True)
def _(figures, notebook, sums, usage):
    classes = {
        "input_tokens": "input",
        "cache_read_tokens": "cache read",
        "cache_write_tokens": "cache write, 5 min",
        "cache_write_1h_tokens": "cache write, 1 h",
        "output_tokens": "output",
    }
    cost = sums.total(usage, "cost_usd")
    tokens = {name: sums.total(usage, name) or 0 for name in classes}
    prompt = sum(tokens.values()) - tokens["output_tokens"]
    requests = sums.total(usage, "requests")
    notebook.stats(
        (figures.usd(cost), "Cost", "at API prices"),
        (figures.count(requests), "Requests", "each counted once"),
        (
            figures.count(sum(tokens.values())),
            "Tokens",
            f"{figures.count(tokens['output_tokens'])} of them output",
        ),
        (
            f"{tokens['cache_read_tokens'] / prompt:.0%}" if prompt else "–",
            "From cache",
            "of all prompt tokens",
        ),
        (figures.usd(cost / requests) if cost is not None else "–", "A request", "on average"),
    )
    return (classes,)


@app.cell(hide_code=True)
def _(charts, chosen, mo, notebook, per, split, sums, usage, zones):
    by = notebook.fitting(chosen) if per.value == "fitting" else per.value
    timed = notebook.by_period(usage, by, chosen)
    periods = zones.periods(chosen.since, chosen.until, by)
    _series = sums.folded(timed, split.value, "cost_usd", charts.SERIES, "not told")
    mo.vstack(
        [
            mo.md(f"## Cost per {by}"),
            charts.shown(
                charts.stacked(
                    sums.grouped(_series, ["period", split.value], ["cost_usd"]),
                    "period",
                    "cost_usd",
                    split.value,
                    periods=periods,
                ),
                height=280,
            ),
        ]
    )
    return by, periods, timed


@app.cell(hide_code=True)
def _(classes, by, charts, mo, periods, sums, timed):
    _sums = sums.grouped(timed, ["period"], list(classes))
    mo.vstack(
        [
            mo.md(f"## Tokens per {by}"),
            charts.shown(
                charts.stacked(
                    [
                        {"period": row["period"], "class": label, "tokens": row[name]}
                        for row in _sums
                        for name, label in classes.items()
                    ],
                    "period",
                    "tokens",
                    "class",
                    form=charts.COUNT,
                    periods=periods,
                    order=list(classes.values()),
                ),
                height=200,
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(charts, mo, sums, usage):
    def _ranking(title, key):
        rows = sums.folded(usage, key, "cost_usd", 12, "not told")
        found = sums.grouped(rows, [key], ["cost_usd"])
        return mo.vstack(
            [
                mo.md(f"### {title}"),
                charts.shown(charts.bars(found, key, "cost_usd"), charts.height(found)),
            ]
        )

    mo.vstack(
        [
            mo.hstack(
                [_ranking("By model", "model"), _ranking("By project", "project")], widths="equal"
            ),
            mo.hstack([_ranking("By tool", "tool"), _ranking("By host", "host")], widths="equal"),
        ]
    )
    return


@app.cell(hide_code=True)
def _(chosen, connection, figures, mo, notebook, site):
    _sessions = sorted(
        notebook.rows(connection, "session_list", chosen), key=lambda row: -(row["cost_usd"] or 0)
    )[:200]
    mo.vstack(
        [
            mo.md("## The sessions that cost most\n\nBy the day they began; the whole of each."),
            notebook.table(
                [
                    {
                        "session": notebook.link(row["title"], row["uid"], site),
                        "cost (USD)": round(row["cost_usd"] or 0, 2),
                        "host": row["host"],
                        "tool": row["tool"],
                        "project": row["project"],
                        "began": figures.stamp(row["started_at"]),
                        "requests": row["requests"],
                        "models": row["models"],
                    }
                    for row in _sessions
                ]
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(figures, mo, notebook, sums, usage):
    _incomplete = sums.total(usage, "incomplete_requests") or 0
    _reported = sums.total(usage, "reported_usd")
    mo.callout(
        mo.md(
            f"""
**What is counted.** Each billed response of a model once, however often resumed, forked or copied logs
repeat it, at the hour it began, in the session that asked first. Cost is computed from the tokens by the
price of the model at that time; where no price is known and the tool states a cost, that is taken.

**What is not.** Requests that tools do not log (titles, side calls, web search models), discounts,
taxes and free quotas. Under a subscription nobody paid these sums: they are the API-equivalent.

{notebook.left_out(usage)}
{figures.plural(_incomplete, "request")} ended before the final usage came and may be larger.
{f"The tools themselves state {figures.usd(_reported)}." if _reported else ""}
"""
        ),
        kind="neutral",
    )
    return


if __name__ == "__main__":
    app.run()
