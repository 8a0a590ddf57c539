# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="Projects", css_file="notebooks.css")


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
def _(connection, notebook):
    seen = notebook.controls(connection)
    return (seen,)


@app.cell(hide_code=True)
def _(connection, mo, notebook, seen, sums):
    chosen = notebook.choice(connection, seen.value)
    everything = notebook.rows(connection, "session_shapes", chosen)
    _names = [name for name in sums.ranked(everything, "project", "cost_usd") if name is not None]
    mo.stop(not _names, mo.callout(mo.md("No project in this selection."), kind="neutral"))
    which = mo.ui.dropdown(_names, value=_names[0], searchable=True, label="**Project**")
    return chosen, everything, which


@app.cell(hide_code=True)
def _(chosen, mo, notebook, seen, which):
    mo.vstack(
        [
            mo.md(f"# {notebook.plain(which.value)}\n\n{notebook.told(chosen)}"),
            which,
            notebook.bar(seen),
        ]
    )
    return


@app.cell(hide_code=True)
def _(chosen, connection, everything, notebook, which):
    _one = chosen._replace(projects=(which.value,))
    sessions = [row for row in everything if row["project"] == which.value]
    usage = notebook.rows(connection, "cost_by_hour", _one)
    files = [row for row in notebook.rows(connection, "files", _one) if row["edits"]]
    acts = notebook.rows(connection, "activity_by_hour", _one)
    outcomes = notebook.rows(connection, "git_outcomes", _one)
    return acts, files, outcomes, sessions, usage


@app.cell(hide_code=True)
def _(figures, files, notebook, sessions, sums):
    _hours = (sums.total(sessions, "active_ms") or 0) / 3.6e6
    notebook.stats(
        (figures.usd(sums.total(sessions, "cost_usd")), "Cost", "at API prices"),
        (
            figures.count(len(sessions)),
            "Sessions",
            f"on {figures.plural(len({row['host'] for row in sessions}), 'machine')}",
        ),
        (f"{_hours:,.1f} h", "Active", "gaps over 10 minutes left out"),
        (figures.count(len(files)), "Files changed", "by agents' edits and writes"),
        (
            f"+{figures.count(sums.total(files, 'lines_added') or 0)}",
            "Lines",
            f"−{figures.count(sums.total(files, 'lines_removed') or 0)} removed",
        ),
    )
    return


@app.cell(hide_code=True)
def _(charts, chosen, mo, notebook, sums, usage, zones):
    by = notebook.fitting(chosen)
    periods = zones.periods(chosen.since, chosen.until, by)
    _rows = notebook.by_period(
        sums.folded(usage, "model", "cost_usd", charts.SERIES, "not told"), by, chosen
    )
    mo.vstack(
        [
            mo.md(f"## Cost per {by}, by model"),
            charts.shown(
                charts.stacked(
                    sums.grouped(_rows, ["period", "model"], ["cost_usd"]),
                    "period",
                    "cost_usd",
                    "model",
                    periods=periods,
                ),
                height=220,
            ),
        ]
    )
    return by, periods


@app.cell(hide_code=True)
def _(acts, by, charts, chosen, mo, notebook, periods, sums):
    _shares = {
        "prompts": "people: prompts",
        "replies": "agents: replies",
        "tool_calls": "agents: tool calls",
    }
    _sums = sums.grouped(notebook.by_period(acts, by, chosen), ["period"], list(_shares))
    _rows = [
        {"period": row["period"], "who": label, "acts": row[name]}
        for row in _sums
        for name, label in _shares.items()
    ]
    _people, _agents = sums.total(acts, "prompts") or 0, sums.total(acts, "tool_calls") or 0
    mo.vstack(
        [
            mo.md(
                f"## Who did what\n\nPeople typed {_people:,} prompts,"
                f" agents made {_agents:,} tool calls"
                + (f": {_agents / _people:.1f} for each prompt." if _people else ".")
            ),
            charts.shown(
                charts.stacked(
                    _rows,
                    "period",
                    "acts",
                    "who",
                    form="~s",
                    periods=periods,
                    order=list(_shares.values()),
                ),
                height=180,
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(charts, figures, files, mo, notebook, sums):
    _languages = sums.grouped(
        sums.folded(files, "language", "edits", 12, "other"), ["language"], ["edits"]
    )
    _files = [
        {
            "file": row["path"],
            "edits": row["edits"],
            "lines": f"+{row['lines_added'] or 0} −{row['lines_removed'] or 0}",
            "sessions": row["sessions"],
            "last": figures.stamp(row["last_ts"]),
        }
        for row in sorted(files, key=lambda row: -row["edits"])[:500]
    ]
    mo.vstack(
        [
            mo.md("### Files most edited"),
            notebook.table(_files),
            mo.md("### Languages, by edits"),
            charts.shown(
                charts.bars(_languages, "language", "edits", form=",d", color=charts.PALETTE[1]),
                height=charts.height(_languages),
            ),
        ]
    ) if files else mo.md("No file was changed.")
    return


@app.cell(hide_code=True)
def _(figures, mo, notebook, outcomes, site, sums):
    _commits = sums.total(outcomes, "commits") or 0
    mo.vstack(
        [
            mo.md(f"## In git\n\n{figures.plural(_commits, 'commit')} by sessions of this project."),
            notebook.table(
                [
                    {
                        "session": notebook.link(row["title"], row["session_uid"], site),
                        "branch": row["branch"],
                        "commits": row["commits"],
                        "files": row["files"],
                        "lines": f"+{row['lines_added']} −{row['lines_removed']}",
                        "last": figures.stamp(row["last_ts"]),
                    }
                    for row in sorted(outcomes, key=lambda row: -row["last_ts"])
                ]
            ),
        ]
    ) if outcomes else mo.md("No commits are known: `git: true` of a host in siphon.yml asks for them.")
    return


@app.cell(hide_code=True)
def _(figures, mo, notebook, sessions, site):
    _newest = sorted(sessions, key=lambda row: -(row["started_at"] or 0))
    mo.vstack(
        [
            mo.md("## Sessions"),
            notebook.table(
                [
                    {
                        "session": notebook.link(row["title"], row["session_uid"], site),
                        "began": figures.stamp(row["started_at"]),
                        "shape": row["shape"],
                        "active": figures.duration(row["active_ms"]),
                        "cost (USD)": round(row["cost_usd"] or 0, 2),
                        "host": row["host"],
                        "tool": row["tool"],
                        "prompts": row["prompts"],
                        "tool calls": row["tool_calls"],
                    }
                    for row in _newest[:1000]
                ]
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(mo, notebook, usage):
    mo.callout(
        mo.md(
            f"""
**What is counted.** All sessions whose repository, or else folder, is this project's, on all machines;
each request, message and tool call once. Files are those last touched in these days, by the tool calls
that name them.

**What is not.** Files changed by shell commands or by people, and what the repository kept of it: lines
are those of the edits, not of the commits.

{notebook.left_out(usage)}
"""
        ),
        kind="neutral",
    )
    return


if __name__ == "__main__":
    app.run()
