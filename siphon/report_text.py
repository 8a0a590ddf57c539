"""A report as Markdown, for a repository or for a mail, and its finest rows as CSV."""

import base64
import csv
import io
import re
from collections.abc import Iterator

from siphon.report import Bars, Report, Section, Table
from siphon.visible import visible

_MARKS = re.compile(r"[\\`*_{}\[\]<>#|~]")
_BLOCKS = "▁▂▃▄▅▆▇█"
_MAIL_ROWS, _MAIL_COLUMNS = 10, 4  # of a table: mail is read on telephones
_MOST_BARS = 40


def markdown(report: Report, mail: bool = False) -> str:
    """The report; with `mail` a subject, short tables and bars of letters instead of pictures."""
    lines = [f"Subject: {visible(report.title)}, {visible(report.subtitle)}\n"] if mail else []
    lines += [f"# {_plain(report.title)}\n", f"{_plain(report.subtitle)}\n"]
    lines += [f"- **{_plain(tile.figure)}** {_plain(tile.label)}" for tile in report.tiles]
    for section in report.sections:
        lines += ["", f"## {_plain(section.title)}\n", *_section(section, mail)]
    lines += ["", "---\n", *(f"{_plain(note)}\n" for note in report.notes)]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Words of logs are no markup."""
    return _MARKS.sub(r"\\\g<0>", " ".join(visible(text).split()))


def _section(section: Section, mail: bool) -> Iterator[str]:
    if section.bars is not None and (mail or section.chart is None):
        yield _bars(section.bars)
    elif section.chart is not None:
        from siphon.report_html import svg

        picture = base64.b64encode(svg(section).encode()).decode()
        yield f"![{_plain(section.title)}](data:image/svg+xml;base64,{picture})"
    if section.table is not None:
        yield from _table(section.table, mail)


def _bars(bars: Bars) -> str:
    """The last periods in one line, and the largest in words."""
    values, names = bars.values[-_MOST_BARS:], bars.names[-_MOST_BARS:]
    most = max(values, default=0)
    if not most:
        return "Nothing."
    line = "".join(_BLOCKS[round(value / most * (len(_BLOCKS) - 1))] for value in values)
    top = names[list(values).index(most)]
    return f"`{line}` {names[0]} to {names[-1]}; most: {bars.form(most)} ({top})"


def _table(table: Table, mail: bool) -> Iterator[str]:
    # For mail the first column and the last ones: what it is, and what it came to.
    places = list(range(len(table.heads)))
    if mail and len(places) > _MAIL_COLUMNS:
        places = [0, *places[-(_MAIL_COLUMNS - 1) :]]
    rows = table.rows[:_MAIL_ROWS] if mail else table.rows
    yield "| " + " | ".join(_plain(table.heads[place]) for place in places) + " |"
    yield "|" + "|".join("---" if place < table.words else "---:" for place in places) + "|"
    for row in rows:
        yield "| " + " | ".join(_plain(row[place]) for place in places) + " |"
    if len(rows) < len(table.rows):
        yield f"\nand {len(table.rows) - len(rows)} more"


def as_csv(report: Report) -> str:
    """The finest rows; money in USD, times in ms."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if report.data:
        writer.writerow(report.data[0])
    for row in report.data:
        writer.writerow([_cell(value) for value in row.values()])
    return out.getvalue()


def _cell(value: object) -> object:
    """A spreadsheet must not take a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
