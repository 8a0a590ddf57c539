"""How a transcript's records read on a page: labels, bodies as safe HTML, where each leads."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

from siphon.entries import Call, Text
from siphon.figures import duration, one_line
from siphon.markdown import markdown
from siphon.plain import MARKED, plain
from siphon.source import Source
from siphon.toolview import cut, todo_line
from siphon.transcript import Heading
from siphon.visible import visible

PROSE = 30_000  # characters of a prompt or a reply that a page shows
ASIDE = 3000  # and of what stands folded away beside them
OUTLINE = 600  # prompts that it lists whole
LONG_LINES = 18  # a prompt of more lines, or as much text, is folded
LONG_TEXT = 1800

LABELS = {
    "prompt": "Prompt",
    "reply": "Reply",
    "thinking": "Thinking",
    "tool_result": "Result",
    "notice": "Notice",
    "command": "Command",
    "summary": "Summary",
    "error": "Error",
    "meta": "Context",
}
STATUS = {
    "error": "failed",
    "rejected": "rejected",
    "interrupted": "interrupted",
    "pending": "no result",
}
RELATIONS = {  # kind → (said of the parent on the child's page, said of the child on the parent's)
    "subagent": ("Subagent of", "Subagent"),
    "fork": ("Forked from", "Fork"),
    "continuation": ("Continues", "Continuation"),
    "compaction": ("Compacted from", "Compaction"),
    "copy": ("Copy of", "Copy"),
}
COMMANDS = ("/", "!", "$")  # what a command begins with


class Body(NamedTuple):
    """A message's text as safe HTML. `left_out`: characters not in it; `long`: better shown folded."""

    html: str
    left_out: int
    long: bool


def body(said: Text, limit: int | None = 0) -> Body:
    """What the message says. `limit` 0: as much as suits its kind; None: all of it."""
    text = said.text or ""
    prose = said.kind in MARKED
    if limit == 0:
        limit = PROSE if prose and said.kind != "thinking" else ASIDE
    text, left_out = cut(text, limit)
    long = said.kind == "prompt" and (text.count("\n") >= LONG_LINES or len(text) > LONG_TEXT)
    if prose:
        return Body(markdown(text, breaks=said.kind == "prompt"), left_out, long)
    return Body(f"<pre>{escape(visible(text))}</pre>", left_out, long)


def tall(html: str) -> bool:
    """Whether it may need to scroll inside its box, which the keyboard must then reach."""
    return len(html) > 1000 or html.count("\n") > 15


def is_picture(attachment: Mapping[str, object]) -> bool:
    """Whether its bytes lie in the log, as a picture that browsers show."""
    return str(attachment.get("media_type")) in ("image/png", "image/jpeg", "image/gif", "image/webp")


def attached(attachment: Mapping[str, object]) -> str:
    """An attachment's name, else what it is."""
    if name := attachment.get("name"):
        return visible(str(name).replace("\\", "/").rpartition("/")[2])
    return str(attachment.get("media_type") or attachment.get("type") or "attachment")


def label(said: Text) -> str:
    """What stands above the message. Tools log what a command printed as they log the command."""
    if said.kind == "command" and not (said.text or "").lstrip().startswith(COMMANDS):
        return "Output"
    return LABELS.get(said.kind, said.kind)


def outline(headings: Iterable[Heading], starts: Sequence[int], here: int) -> str:
    """The outline's items as HTML, with links as short as can be.

    Of more than OUTLINE only those of the window `here` (from 1) are listed: of the other windows, which
    begin at `starts`, an item each, whose link opens them.
    """
    listed = [one for one in headings if heads(one)]
    if len(listed) <= OUTLINE:
        return "".join(map(_item, listed))
    parts: dict[int, list[Heading]] = {}
    for one in listed:
        parts.setdefault(max(1, bisect_right(starts, one.seq)), []).append(one)
    return "".join(
        "".join(map(_item, part)) if number == here else _item(part[0], len(part))
        for number, part in parts.items()
    )


def _item(one: Heading, stands_for: int = 0) -> str:
    kind = "part" if stands_for else one.kind
    more = f"<small>{stands_for} from</small> " if stands_for else ""
    mark = " class=abandoned" if one.abandoned else ""
    return (
        f'<li{mark}><a class="{kind}" href="?at={one.seq}#m{one.seq}">'
        f"<span>{more}{escape(visible(one_line(one.text, 90))) or '…'}</span></a></li>"
    )


def heads(heading: Heading) -> bool:
    """Whether the outline lists it: what a command printed is no heading."""
    return heading.kind == "prompt" or heading.text.lstrip().startswith(COMMANDS)


def value_label(name: str, value: str, sources: Mapping[str, Source]) -> str:
    """A facet's value as people call it."""
    if name == "source" and value in sources:
        return sources[value].title
    if name == "kind":
        return "Tool call" if value == "tool_call" else LABELS.get(value, value)
    return visible(value)


def gist(said: Text) -> str:
    """One line that stands for a folded message; without the marks of markdown where that is meant."""
    text = (said.text or "")[:2000]
    return visible(one_line(plain(text) if said.kind in MARKED else text, 140))


def call_line(call: Call, folder: str | None) -> str:
    """One line that stands for a folded call: its command, path or query."""
    given = call.input if call.input not in (None, "{}") else ""
    line = one_line(todo_line(given) or call.summary or given, 400)
    return visible(short_path(line, folder))


def short_path(text: str, folder: str | None) -> str:
    """Paths below the session's folder without it."""
    if not folder or len(folder) < 2:
        return text
    for separator in ("/", "\\"):
        text = text.replace(folder.rstrip("/\\") + separator, "")
    return text


def call_figures(call: Call) -> list[str]:
    """What is worth knowing of a call at a glance: +3 −1, exit 2, 3.2 s."""
    figures = []
    if call.lines_added or call.lines_removed:
        figures.append(f"+{call.lines_added or 0} −{call.lines_removed or 0}")
    if call.exit_code:
        figures.append(f"exit {call.exit_code}")
    if call.duration_ms is not None and call.duration_ms >= 100:
        figures.append(duration(call.duration_ms))
    return figures
