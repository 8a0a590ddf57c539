"""docs/sources.md as the sources tell it: `python -m siphon.docs > docs/sources.md` writes it."""

import re
from collections.abc import Iterator, Sequence
from types import ModuleType

from siphon.source import Source
from siphon.sources import modules

_HEAD = """\
# What siphon reads

One section a tool: where its logs lie below a home, what is read of them, what the tool does not say,
what is left out on purpose, and the evidence with its date. This page is made from the sources
themselves (`python -m siphon.docs > docs/sources.md`); [add-a-tool.md](add-a-tool.md) shows how to add
one. What of your own logs is read, skipped or unknown: `siphon coverage`.
"""
_PATHS = 8  # listed of one kind
_EVIDENCE = re.compile(r"^Evidence: .*?(?:\n\n|\Z)", re.DOTALL | re.MULTILINE)


def page() -> str:
    """The whole page, Markdown."""
    found = [(module, source) for module in modules() for source in getattr(module, "SOURCES", ())]
    found.sort(key=lambda pair: pair[1].title.lower())
    rows = [f"| [{s.title}](#{_anchor(s)}) | `{s.name}` | {_cell(s.gaps)} |" for _, s in found]
    table = ["| tool | source | the tool does not say |", "|---|---|---|", *rows]
    return "\n".join([_HEAD, *table, "", *(line for pair in found for line in _section(*pair))])


def _anchor(source: Source) -> str:
    """As GitHub makes it of the heading."""
    return re.sub(r"[^\w -]", "", source.title.lower()).replace(" ", "-")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _section(module: ModuleType, source: Source) -> Iterator[str]:
    yield f"## {source.title}\n"
    yield "Logs:\n"
    yield from _listed(source.globs)
    if source.beside:
        yield "\nCollected with them:\n"
        yield from _listed(source.beside)
    if source == module.SOURCES[0]:
        yield f"\nWhat is read:\n\n```text\n{_told(module)}\n```"
    else:
        first = module.SOURCES[0]
        yield f"\nIt is read as [{first.title}](#{_anchor(first)}) is."
    yield f"\nThe tool does not say: {source.gaps}.\n"
    yield f"Left out on purpose:{_skips(source)}\n"
    yield f"Evidence: {source.evidence}.\n"


def _listed(globs: Sequence[str]) -> Iterator[str]:
    yield from (f"- `~/{glob}`" for glob in globs[:_PATHS])
    if len(globs) > _PATHS:
        yield f"- and {len(globs) - _PATHS} more of this kind: `siphon sources` lists them"


def _told(module: ModuleType) -> str:
    return _EVIDENCE.sub("", (module.__doc__ or "").strip() + "\n").strip()


def _skips(source: Source) -> str:
    """Types by the reason for which they are skipped."""
    reasons: dict[str, list[str]] = {}
    for kind, reason in source.skips.items():
        reasons.setdefault(reason, []).append(f"`{kind}`")
    if not reasons:
        return " nothing."
    return "\n\n" + "\n".join(f"- {reason}: {', '.join(kinds)}" for reason, kinds in reasons.items())


if __name__ == "__main__":
    print(page(), end="")
