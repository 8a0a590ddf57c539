"""A report as one HTML file that needs nothing else: no script, charts inside as SVG."""

import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files

import vl_convert

from siphon import charts
from siphon.report import Report, Section, Table
from siphon.visible import visible

_WIDTH = 860  # pixels of a chart


def html(report: Report) -> str:
    """The whole page."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
            " style-src 'unsafe-inline'; img-src data:\">",
            f"<title>{_text(report.title)}</title><style>{_style()}</style></head><body><main>",
            f'<h1>{_text(report.title)}</h1><p class="sub">{_text(report.subtitle)}</p>',
            '<div class="tiles">',
            *(
                f'<div class="tile"><b>{_text(tile.figure)}</b><span>{_text(tile.label)}</span></div>'
                for tile in report.tiles
            ),
            "</div>",
            *(part for section in report.sections for part in _section(section)),
            "<footer>",
            *(f"<p>{_text(note)}</p>" for note in report.notes),
            "</footer></main></body></html>\n",
        ]
    )


def _style() -> str:
    return files("siphon").joinpath("report.css").read_text(encoding="utf-8")


def _text(text: str) -> str:
    return escape(visible(text))


def _section(section: Section) -> Iterator[str]:
    yield f"<section><h2>{_text(section.title)}</h2>"
    if section.chart is not None:
        # The words below say it to who does not see the picture.
        yield f'<div class="chart" role="img" aria-label="{_text(_said(section))}">{svg(section)}</div>'
    if section.table is not None:
        yield f'<div class="scroll">{_table(section.table)}</div>'
    yield "</section>"


def _said(section: Section) -> str:
    bars = section.bars
    if bars is None:
        return section.title
    most = sorted(zip(bars.values, bars.names, strict=True), reverse=True)[:3]
    words = ", ".join(f"{name}: {bars.form(value)}" for value, name in most if value)
    return f"{section.title}; most: {words or 'nothing'}"


def svg(section: Section) -> str:
    """The section's chart."""
    chart = charts.dressed(section.chart.properties(width=_WIDTH, height=section.height))
    found = str(vl_convert.vegalite_to_svg(chart.to_json()))
    # Links of a chart's data would be links to elsewhere; there are none, and none may come in.
    return re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>", "", found)


def _table(table: Table) -> str:
    def row(cells: "list[str]", tag: str) -> str:
        marks = ("" if place < table.words else ' class="n"' for place in range(len(cells)))
        parts = zip(cells, marks, strict=True)
        return "<tr>" + "".join(f"<{tag}{mark}>{_text(cell)}</{tag}>" for cell, mark in parts) + "</tr>"

    body = "".join(row(list(cells), "td") for cells in table.rows)
    return f"<table><thead>{row(list(table.heads), 'th')}</thead><tbody>{body}</tbody></table>"
