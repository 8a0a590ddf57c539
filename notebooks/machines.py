# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="Machines", css_file="notebooks.css")


@app.cell(hide_code=True)
def _():
    import os
    from pathlib import Path

    import marimo as mo

    from siphon import charts, figures, moves, notebook, sums, zones

    arguments = mo.cli_args()
    path = notebook.database(notebook.path_of(arguments, "database"), os.environ, Path.cwd())
    site = notebook.site(notebook.path_of(arguments, "site"))
    connection = notebook.opened(path)
    return charts, connection, figures, mo, moves, notebook, site, sums, zones


@app.cell(hide_code=True)
def _(connection, mo, notebook):
    seen = notebook.controls(connection)
    measure = mo.ui.dropdown(
        {"Cost": "cost_usd", "Sessions": "sessions", "Active hours": "hours", "Requests": "requests"},
        value="Cost",
        label="Compare by",
    )
    return measure, seen


@app.cell(hide_code=True)
def _(connection, measure, mo, notebook, seen):
    chosen = notebook.choice(connection, seen.value)
    mo.vstack(
        [
            mo.md(f"# Machines and tools\n\n{notebook.told(chosen)}"),
            notebook.bar(seen, measure),
        ]
    )
    return (chosen,)


@app.cell(hide_code=True)
def _(chosen, connection, mo, notebook):
    sessions = [
        {**row, "sessions": 1, "hours": (row["active_ms"] or 0) / 3.6e6, "hour": row["started_at"]}
        for row in notebook.rows(connection, "session_shapes", chosen)
    ]
    mo.stop(not sessions, mo.callout(mo.md("No sessions in this selection."), kind="neutral"))
    return (sessions,)


@app.cell(hide_code=True)
def _(figures, moves, notebook, sessions, sums):
    _found = moves.moves(sessions)
    _moved = figures.plural(len({row["project"] for row in _found}), "project")
    _busiest = sums.ranked(sessions, "host", "hours")[0]
    notebook.stats(
        (str(len({row["host"] for row in sessions})), "Machines", "with sessions"),
        (str(len({row["source"] for row in sessions})), "Tools", "that wrote them"),
        (figures.count(len(sessions)), "Sessions", "subagents included"),
        (_busiest, "Most active", "by active time"),
        (
            figures.count(len(_found)),
            "Moves",
            f"of {_moved} to another machine",
        ),
    )
    return


@app.cell(hide_code=True)
def _(charts, measure, mo, sessions, sums):
    _form = {"cost_usd": charts.USD, "hours": ",.1f"}.get(measure.value, ",d")
    _rows = sums.grouped(sessions, ["host", "tool"], [measure.value])
    mo.vstack(
        [
            mo.md(f"## {measure.selected_key} side by side"),
            charts.shown(
                charts.heat(_rows, "tool", "host", measure.value, _form, words=True),
                height=charts.height({row["host"] for row in _rows}, each=44),
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(charts, chosen, measure, mo, notebook, sessions, sums, zones):
    by = notebook.fitting(chosen)
    periods = zones.periods(chosen.since, chosen.until, by)
    _form = {"cost_usd": charts.USD, "hours": ",.1f"}.get(measure.value, "~s")

    def _series(key):
        rows = sums.folded(sessions, key, measure.value, charts.SERIES, "not told")
        found = sums.grouped(notebook.by_period(rows, by, chosen), ["period", key], [measure.value])
        return charts.stacked(found, "period", measure.value, key, form=_form, periods=periods)

    mo.vstack(
        [
            mo.md(f"## {measure.selected_key} per {by}, by machine"),
            charts.shown(_series("host"), height=200),
            mo.md(f"## {measure.selected_key} per {by}, by tool"),
            charts.shown(_series("tool"), height=200),
        ]
    )
    return


@app.cell(hide_code=True)
def _(charts, chosen, figures, mo, moves, notebook, sessions, site, sums, zones):
    _top = sums.ranked(sessions, "project", "hours")[:12]
    _stays = [
        {
            "project": row["project"] or "not told",
            "host": row["host"],
            "day": zones.local(row["started_at"], chosen.zone).date().isoformat(),
            "hours": row["hours"],
        }
        for row in sessions
        if row["project"] in _top and row["started_at"] is not None
    ]
    _moves = [
        {
            "when": figures.stamp(move["at"]),
            "project": move["project"],
            "from": move["from"],
            "to": move["to"],
            "after": figures.duration(move["after_ms"]),
            "session": notebook.link(move["title"], move["session_uid"], site),
        }
        for move in reversed(moves.moves(sessions))
    ]
    mo.vstack(
        [
            mo.md("## Where each project was worked on"),
            charts.shown(
                charts.stays(
                    sums.grouped(_stays, ["project", "host", "day"], ["hours"]),
                    zones.days(chosen.since, chosen.until),
                ),
                height=charts.height(_top),
            ),
            mo.md("## Moves from machine to machine"),
            notebook.table(_moves) if _moves else mo.md("Each project stayed where it was."),
        ]
    )
    return


@app.cell(hide_code=True)
def _(connection, figures, mo, notebook):
    _hosts = [
        {
            "host": row["host"],
            "collected": figures.stamp(row["collected_at"]),
            "last activity": figures.stamp(row["last_activity_at"]),
            "sessions": row["sessions"],
            "logs": row["logs"],
            "size": figures.bytes_(row["bytes"]),
            "problems": row["problems"],
            "error": row["error"] or "",
        }
        for row in connection.execute("select * from host_status")
    ]
    mo.vstack([mo.md("## How the machines are"), notebook.table(_hosts)])
    return


@app.cell(hide_code=True)
def _(chosen, connection, mo, notebook):
    mo.callout(
        mo.md(
            f"""
**What is counted.** Sessions by the day they began, whole, on the machine whose home held the log;
sessions that were copied to another machine or resumed from a copied log only once. A move is a project
whose next session runs on another machine than the one before; subagents do not move.

**What is not.** Work without a log, and which person sat where. Two folders are one project only if they
have the same repository or the same path.

{notebook.left_out(notebook.rows(connection, "cost_by_hour", chosen))}
"""
        ),
        kind="neutral",
    )
    return


if __name__ == "__main__":
    app.run()
