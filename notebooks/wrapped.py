# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="Wrapped", css_file="notebooks.css")


@app.cell(hide_code=True)
def _():
    import os
    from pathlib import Path

    import marimo as mo

    from siphon import figures, notebook, wrapped, zones

    arguments = mo.cli_args()
    path = notebook.database(notebook.path_of(arguments, "database"), os.environ, Path.cwd())
    site = notebook.site(notebook.path_of(arguments, "site"))
    connection = notebook.opened(path)
    return arguments, connection, figures, mo, notebook, site, wrapped, zones


@app.cell(hide_code=True)
def _(arguments, connection, mo, notebook):
    seen = notebook.controls(connection)
    _periods = notebook.months(connection)
    _asked = notebook.path_of(arguments, "period")
    period = mo.ui.dropdown(
        _periods, value=_asked if _asked in _periods else _periods[0], label="**Year or month**"
    )
    return period, seen


@app.cell(hide_code=True)
def _(connection, mo, notebook, period, seen):
    chosen = notebook.within(notebook.choice(connection, seen.value), period.value)
    mo.vstack(
        [
            mo.md(f"# {period.value} in one page\n\n{notebook.told(chosen)}"),
            notebook.bar(seen, period, without=("dates",)),
        ]
    )
    return (chosen,)


@app.cell(hide_code=True)
def _(chosen, connection, mo, notebook, period, wrapped, zones):
    _rows = wrapped.Rows(
        *(
            notebook.rows(connection, view, chosen)
            for view in ("session_shapes", "cost_by_hour", "activity_by_hour", "active_time", "files")
        )
    )
    mo.stop(not _rows.sessions, mo.callout(mo.md("Nothing happened in these days."), kind="neutral"))
    usage, sessions = _rows.usage, _rows.sessions
    page = wrapped.page(period.value, _rows, zones.days(chosen.since, chosen.until), chosen.zone)
    mo.vstack([page])
    return page, sessions, usage


@app.cell(hide_code=True)
def _(arguments, mo, notebook, page, period, wrapped):
    # As a script: `python wrapped.py --period 2026-11 --to page.png` (or .html).
    _to = notebook.path_of(arguments, "to")
    if _to is not None:
        wrapped.save(page, _to)
    mo.hstack(
        [
            mo.download(
                lambda: wrapped.png(page), f"siphon-{period.value}.png", "image/png", label="PNG"
            ),
            mo.download(
                lambda: wrapped.html(page), f"siphon-{period.value}.html", "text/html", label="HTML"
            ),
        ],
        justify="start",
    )
    return


@app.cell(hide_code=True)
def _(figures, mo, notebook, sessions, site):
    _longest = sorted(sessions, key=lambda row: -(row["active_ms"] or 0))[:10]
    mo.vstack(
        [
            mo.md("## The longest sessions"),
            notebook.table(
                [
                    {
                        "session": notebook.link(row["title"], row["session_uid"], site),
                        "active": figures.duration(row["active_ms"]),
                        "prompts": row["prompts"],
                        "tool calls": row["tool_calls"],
                        "cost": figures.usd(row["cost_usd"]),
                        "host": row["host"],
                        "tool": row["tool"],
                    }
                    for row in _longest
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
**What is counted.** Sessions that began in these days, subagents among them; requests, prompts and tool
calls of these days, each once. Active work leaves out gaps of more than 10 minutes; sessions that ran at
once count each. Lines and files are those of agents' edits and writes, of files last touched then.

**What is not.** Requests without a known price cost nothing here; under a subscription the sum is what
an API would have asked. The files hold what is on this page and nothing else, and need no network.

{notebook.left_out(usage)}
"""
        ),
        kind="neutral",
    )
    return


if __name__ == "__main__":
    app.run()
