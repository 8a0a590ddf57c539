# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="Tools", css_file="notebooks.css")


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
    split = mo.ui.dropdown(
        {"Kind": "kind", "Tool": "tool", "Host": "host", "Project": "project"},
        value="Kind",
        label="Colours by",
    )
    return seen, split


@app.cell(hide_code=True)
def _(connection, mo, notebook, seen, split):
    chosen = notebook.choice(connection, seen.value)
    mo.vstack(
        [
            mo.md(f"# What the agents did\n\n{notebook.told(chosen)}"),
            notebook.bar(seen, split),
        ]
    )
    return (chosen,)


@app.cell(hide_code=True)
def _(chosen, connection, mo, notebook):
    calls = notebook.rows(connection, "tools_by_hour", chosen)
    files = notebook.rows(connection, "files", chosen)
    mo.stop(not calls, mo.callout(mo.md("No tool calls in this selection."), kind="neutral"))
    return calls, files


@app.cell(hide_code=True)
def _(calls, figures, files, notebook, sums):
    _calls = sums.total(calls, "calls")
    _errors, _rejected = sums.total(calls, "errors"), sums.total(calls, "rejections")
    _edited = [row for row in files if row["edits"]]
    notebook.stats(
        (figures.count(_calls), "Tool calls", f"of {len({row['name'] for row in calls})} tools"),
        (f"{_errors / _calls:.1%}", "Failed", figures.plural(_errors, "call")),
        (f"{_rejected / _calls:.1%}", "Rejected by people", figures.plural(_rejected, "call")),
        (figures.count(len(_edited)), "Files changed", "by edits and writes"),
        (
            f"+{figures.count(sums.total(_edited, 'lines_added') or 0)}",
            "Lines",
            f"−{figures.count(sums.total(_edited, 'lines_removed') or 0)} removed",
        ),
    )
    return


@app.cell(hide_code=True)
def _(calls, charts, chosen, mo, notebook, split, sums, zones):
    by = notebook.fitting(chosen)
    periods = zones.periods(chosen.since, chosen.until, by)
    _rows = notebook.by_period(
        sums.folded(calls, split.value, "calls", charts.SERIES, "not told"), by, chosen
    )
    mo.vstack(
        [
            mo.md(f"## Calls per {by}"),
            charts.shown(
                charts.stacked(
                    sums.grouped(_rows, ["period", split.value], ["calls"]),
                    "period",
                    "calls",
                    split.value,
                    form="~s",
                    periods=periods,
                ),
                height=240,
            ),
        ]
    )
    return by, periods


@app.cell(hide_code=True)
def _(calls, charts, files, mo, sums):
    _named = sums.grouped(sums.folded(calls, "name", "calls", 15, "not told"), ["name"], ["calls"])
    _languages = sums.grouped(
        sums.folded([row for row in files if row["edits"]], "language", "edits", 15, "other"),
        ["language"],
        ["edits"],
    )
    mo.hstack(
        [
            mo.vstack(
                [
                    mo.md("### Most called"),
                    charts.shown(
                        charts.bars(_named, "name", "calls", form=",d"), height=charts.height(_named)
                    ),
                ]
            ),
            mo.vstack(
                [
                    mo.md("### Languages, by edits"),
                    charts.shown(
                        charts.bars(_languages, "language", "edits", form=",d", color=charts.PALETTE[1]),
                        height=charts.height(_languages),
                    )
                    if _languages
                    else mo.md("No file was changed."),
                ]
            ),
        ],
        widths="equal",
        align="start",
    )
    return


@app.cell(hide_code=True)
def _(by, charts, chosen, connection, mo, notebook, periods, sums):
    _rows = notebook.by_period(notebook.rows(connection, "errors", chosen), by, chosen)
    _order = ["tool error", "tool rejected", "tool interrupted", "api error"]
    mo.vstack(
        [
            mo.md(f"## What went wrong, per {by}"),
            charts.shown(
                charts.stacked(
                    sums.grouped(_rows, ["period", "kind"], ["errors"]),
                    "period",
                    "errors",
                    "kind",
                    form="d",
                    periods=periods,
                    order=_order,
                ),
                height=180,
            )
            if _rows
            else mo.md("Nothing."),
        ]
    )
    return


@app.cell(hide_code=True)
def _(calls, figures, mo, notebook, sums):
    _columns = ["calls", "errors", "rejections", "interruptions", "timed_calls", "duration_ms"]
    _columns += ["output_bytes", "lines_added", "lines_removed"]
    _tools = sorted(
        sums.grouped(calls, ["name", "kind", "tool"], _columns), key=lambda row: -row["calls"]
    )
    mo.vstack(
        [
            mo.md("## Every tool"),
            notebook.table(
                [
                    {
                        "name": row["name"],
                        "kind": row["kind"],
                        "tool": row["tool"],
                        "calls": row["calls"],
                        "failed": row["errors"],
                        "failed %": round(100 * row["errors"] / row["calls"], 1),
                        "rejected": row["rejections"],
                        "stopped": row["interruptions"],
                        "takes": figures.duration(row["duration_ms"] // row["timed_calls"])
                        if row["timed_calls"]
                        else "–",
                        "output": figures.bytes_(row["output_bytes"]),
                        "lines": f"+{row['lines_added'] or 0} −{row['lines_removed'] or 0}",
                    }
                    for row in _tools
                ]
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(calls, chosen, connection, figures, mo, notebook, sums):
    def _counted(view, column, by="uses", more=()):
        found = sums.grouped(notebook.rows(connection, view, chosen), [column, "tool"], [by, *more])
        return sorted(found, key=lambda row: -(row[by] or 0))

    _servers = sums.grouped(
        [row for row in calls if row["kind"] == "mcp"], ["server", "name", "tool"], ["calls", "errors"]
    )
    _agents = [
        {
            "agent": row["agent"] or "not told",
            "tool": row["tool"],
            "sessions": row["sessions"],
            "tool calls": row["tool_calls"],
            "active": figures.duration(row["active_ms"]),
            "cost (USD)": round(row["cost_usd"] or 0, 2),
        }
        for row in _counted(
            "subagent_usage", "agent", "sessions", ("tool_calls", "active_ms", "cost_usd")
        )
    ]
    mo.ui.tabs(
        {
            title: notebook.table(rows) if rows else mo.md("None in this selection.")
            for title, rows in (
                ("Subagents", _agents),
                ("MCP servers", _servers),
                ("Skills", _counted("skill_usage", "skill")),
                ("Slash commands", _counted("command_usage", "command")),
            )
        }
    )
    return


@app.cell(hide_code=True)
def _(chosen, connection, figures, mo, notebook, site):
    _busy = sorted(
        (row for row in notebook.rows(connection, "session_shapes", chosen) if row["tool_calls"]),
        key=lambda row: -row["tool_calls"],
    )
    mo.vstack(
        [
            mo.md("## Sessions with the most calls"),
            notebook.table(
                [
                    {
                        "session": notebook.link(row["title"], row["session_uid"], site),
                        "tool calls": row["tool_calls"],
                        "prompts": row["prompts"],
                        "active": figures.duration(row["active_ms"]),
                        "host": row["host"],
                        "tool": row["tool"],
                        "project": row["project"],
                        "began": figures.stamp(row["started_at"]),
                    }
                    for row in _busy[:100]
                ]
            )
            if _busy
            else mo.md("No session began in these days."),
        ]
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.callout(
        mo.md(
            """
**What is counted.** Each tool call once, in the hour it began; copies in resumed and forked logs left
out. Failed is what the tool or the log marks as an error, a command's exit code included; rejected is
what a person refused. A call takes from the request to its result, waiting for a person's permission
included, on average over the calls whose end is logged.

**What is not.** Lines that a shell command changed, calls of tools that the provider runs itself unless
the log names them, and calls without a time, unless all days are shown. Skills, slash commands and files
are those last used in these days; subagents are all that there were.
"""
        ),
        kind="neutral",
    )
    return


if __name__ == "__main__":
    app.run()
