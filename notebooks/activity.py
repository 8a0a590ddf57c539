# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="Activity", css_file="notebooks.css")


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
    measure = mo.ui.dropdown(
        {
            "Active time": "hours",
            "Prompts": "prompts",
            "Replies": "replies",
            "Tool calls": "tool_calls",
        },
        value="Active time",
        label="Shades by",
    )
    split = mo.ui.dropdown(
        {"Tool": "tool", "Host": "host", "Project": "project"}, value="Tool", label="Colours by"
    )
    return measure, seen, split


@app.cell(hide_code=True)
def _(connection, measure, mo, notebook, seen, split):
    chosen = notebook.choice(connection, seen.value)
    mo.vstack(
        [
            mo.md(f"# When the work was done\n\n{notebook.told(chosen)}"),
            notebook.bar(seen, measure, split),
        ]
    )
    return (chosen,)


@app.cell(hide_code=True)
def _(chosen, connection, mo, notebook, zones):
    def _placed(view):
        """The view's rows with their local day, weekday and hour."""
        return [
            {**row, "day": at.date().isoformat(), "weekday": f"{at:%a}", "clock": at.hour}
            for row in notebook.rows(connection, view, chosen)
            if row["hour"] is not None
            for at in [zones.local(row["hour"], chosen.zone)]
        ]

    acts = _placed("activity_by_hour")
    active = [{**row, "hours": row["active_ms"] / 3.6e6} for row in _placed("active_time")]
    busy = [{**row, "hours": row["busy_ms"] / 3.6e6} for row in _placed("busy_time")]
    shapes = notebook.rows(connection, "session_shapes", chosen)
    mo.stop(not acts, mo.callout(mo.md("Nothing happened in this selection."), kind="neutral"))
    return active, acts, busy, shapes


@app.cell(hide_code=True)
def _(active, acts, busy, chosen, figures, notebook, shapes, sums):
    _hours = sums.total(active, "hours") or 0
    _clock = sums.total(busy, "hours") or 0
    _days = sorted({row["day"] for row in acts})
    _narrowed = bool(chosen.hosts or chosen.sources or chosen.projects)
    notebook.stats(
        (f"{_hours:,.0f} h", "Active", "gaps over 10 minutes left out"),
        (
            "–" if _narrowed else f"{_hours / _clock:.1f}" if _clock else "–",
            "Sessions at once",
            "on average; all hosts and tools together",
        ),
        (figures.count(len(shapes)), "Sessions", "subagents included"),
        (figures.count(sums.total(acts, "prompts")), "Prompts", "typed by people"),
        (
            str(len(_days)),
            "Days",
            f"of {(chosen.until - chosen.since).days + 1}; {notebook.streak(_days)} in a row at most",
        ),
    )
    return


@app.cell(hide_code=True)
def _(active, acts, charts, chosen, measure, mo, sums, zones):
    _rows = active if measure.value == "hours" else acts
    _sums = {
        row["day"]: row[measure.value] or 0 for row in sums.grouped(_rows, ["day"], [measure.value])
    }
    mo.vstack(
        [
            mo.md("## Day by day"),
            charts.shown(
                charts.calendar(
                    [(day, _sums.get(day)) for day in zones.days(chosen.since, chosen.until)],
                    measure.selected_key,
                ),
                height=170,
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(active, acts, charts, measure, mo, sums):
    _rows = active if measure.value == "hours" else acts
    mo.vstack(
        [
            mo.md("## Hours of the week"),
            charts.shown(
                charts.week(sums.grouped(_rows, ["weekday", "clock"], [measure.value]), measure.value),
                height=190,
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(active, busy, charts, chosen, mo, notebook, split, sums, zones):
    by = notebook.fitting(chosen)
    periods = zones.periods(chosen.since, chosen.until, by)
    _rows = notebook.by_period(
        sums.folded(active, split.value, "hours", charts.SERIES, "not told"), by, chosen
    )
    _clock = sums.grouped(notebook.by_period(busy, by, chosen), ["period"], ["hours"])
    _bars = charts.stacked(
        sums.grouped(_rows, ["period", split.value], ["hours"]),
        "period",
        "hours",
        split.value,
        form=",.1f",
        periods=periods,
    )
    mo.vstack(
        [
            mo.md(
                f"## Active hours per {by}\n\nA bar adds up all sessions, also those that ran at once."
                " The ticks are the clock's hours in which any session was active."
            ),
            charts.shown(charts.ticked(_bars, _clock, "period", "hours"), height=260),
        ]
    )
    return by, periods


@app.cell(hide_code=True)
def _(by, charts, chosen, mo, notebook, periods, shapes, sums):
    _order = ["quick", "standard", "deep", "marathon", "automated"]
    _rows = notebook.by_period([{**row, "hour": row["started_at"]} for row in shapes], by, chosen)
    _counted = sums.grouped([{**row, "sessions": 1} for row in _rows], ["period", "shape"], ["sessions"])
    mo.vstack(
        [
            mo.md(
                f"## Sessions per {by} by shape\n\n"
                "quick: less than 5 active minutes · standard: less than 30 · deep: less than 2 hours"
                " · marathon: longer · automated: no person typed, or a program started it"
            ),
            charts.shown(
                charts.stacked(
                    _counted, "period", "sessions", "shape", form="d", periods=periods, order=_order
                ),
                height=200,
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(figures, mo, notebook, shapes, site):
    _longest = sorted(shapes, key=lambda row: -(row["active_ms"] or 0))[:100]
    mo.vstack(
        [
            mo.md("## The longest sessions"),
            notebook.table(
                [
                    {
                        "session": notebook.link(row["title"], row["session_uid"], site),
                        "active": figures.duration(row["active_ms"]),
                        "shape": row["shape"],
                        "host": row["host"],
                        "tool": row["tool"],
                        "project": row["project"],
                        "began": figures.stamp(row["started_at"]),
                        "prompts": row["prompts"],
                        "tool calls": row["tool_calls"],
                    }
                    for row in _longest
                ]
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.callout(
        mo.md(
            """
**What is counted.** Messages and tool calls once each, copies in resumed and forked logs left out.
Active time is the sum of the gaps between a session's records of at most 10 minutes, each in the hour in
which it ends. Sessions that ran at once count each; the ticks count such time once.

**What is not.** Reading and thinking for longer than 10 minutes, and records without a time. The ticks
and the number of sessions at once are of all hosts and tools, whatever is filtered.
"""
        ),
        kind="neutral",
    )
    return


if __name__ == "__main__":
    app.run()
