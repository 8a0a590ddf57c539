"""What a tool call shows when it is unfolded: commands, diffs, lists of things to do, files, fields.

Told from the shape of the input alone: tools name the same things alike, whichever tool it is.
"""

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape
from typing import Any, NamedTuple

from siphon.entries import Call
from siphon.highlight import highlight, highlight_file
from siphon.markdown import markdown
from siphon.visible import visible

SHOWN = 3000  # characters of one part; the rest is a link away
COLOURED = 1200  # characters of a written file that are coloured while it is folded
DIFFED = 1500  # lines; a longer edit is shown as what went and what came
_SHORT = 120  # characters that a field may have to stand on one line

_COMMAND = ("command", "cmd", "script", "commands")
_PATH = ("filepath", "path", "notebookpath", "filename", "targetfile", "file")
_OLD = ("oldstring", "oldstr", "oldtext", "oldcontent")
_NEW = ("newstring", "newstr", "newtext", "newcontent")
_CONTENT = ("content", "filetext", "newsource", "contents", "text")
_PROSE = ("prompt", "message", "plan", "question", "body")
_STEP = ("content", "step", "text", "title", "subject", "task")
# What Aider and Cline have models write: old lines, then new ones.
_SWAP = re.compile(
    r"^(?:<{5,9}|-{5,9}) SEARCH>?[ \t]*\n(.*?)^={5,9}[ \t]*\n(.*?)^(?:>{5,9}|\+{5,9}) REPLACE",
    re.DOTALL | re.MULTILINE,
)
_PATCHES = ("*** Begin Patch", "diff --git ", "--- ", "@@ ")


class Part(NamedTuple):
    """One thing that a call shows; `html` is safe. `left_out`: characters that are not in it."""

    form: str  # command, diff, todo, file, prose, field, output
    label: str
    html: str
    left_out: int = 0


def parts(call: Call, limit: int | None = SHOWN) -> list[Part]:
    """The call's input, then its output; each cut at `limit` characters."""
    return [*_input(call, limit), *_output(call, limit)]


def _input(call: Call, limit: int | None) -> Iterator[Part]:
    if call.input is None or call.input in ("{}", "null", '""'):
        return
    try:
        value = json.loads(call.input)
    except (ValueError, RecursionError):
        value = call.input
    if isinstance(value, str):
        swaps = _swaps(value, limit)
        yield from swaps or [_patch(value, limit) if _is_patch(value) else _plain("input", value, limit)]
    elif isinstance(value, dict):
        yield from _object(value, call, limit)
    else:
        yield _json("input", value, limit)


def _object(given: dict[str, Any], call: Call, limit: int | None) -> Iterator[Part]:
    names = {name.replace("_", "").lower(): name for name in given}
    path = _first(given, names, _PATH)
    used = set()
    for part, taken in _known(given, names, call, path if isinstance(path, str) else "", limit):
        used |= taken
        yield part
    if used and isinstance(path, str):
        used |= {name for folded, name in names.items() if folded in _PATH}
    rest = {name: value for name, value in given.items() if name not in used}
    yield from _fields(rest, limit)


def _known(
    given: dict[str, Any], names: dict[str, str], call: Call, path: str, limit: int | None
) -> Iterator[tuple[Part, set[str]]]:
    """Parts of known shape, and the names that each has used up."""
    for folded, name in names.items():
        value = given[name]
        if folded in _COMMAND and call.kind == "shell":
            text = " ".join(value) if _is_texts(value) else value
            if isinstance(text, str):
                yield _command(text, limit), {name}
        elif isinstance(value, str) and _is_patch(value):
            yield _patch(value, limit), {name}
        elif isinstance(value, str) and (swaps := _swaps(value, limit)):
            for swap in swaps:
                yield swap, {name}
        elif _is_todo(value):
            yield Part("todo", name, _todo(value)), {name}
        elif folded == "edits" and isinstance(value, list):
            for edit in value:
                if isinstance(edit, dict):
                    yield from _edit(edit, limit, {name})
        elif folded in _CONTENT and call.kind in ("write", "edit") and isinstance(value, str):
            yield _file(value, path, limit), {name}
        elif folded in _PROSE and isinstance(value, str) and len(value) > _SHORT:
            yield _prose(name, value, limit), {name}
    yield from _edit(given, limit, set())


def _edit(given: dict[str, Any], limit: int | None, used: set[str]) -> Iterator[tuple[Part, set[str]]]:
    names = {name.replace("_", "").lower(): name for name in given}
    old, new = (next((names[key] for key in keys if key in names), None) for keys in (_OLD, _NEW))
    if old is None and new is None:
        return
    before, after = (str(given.get(name) or "") if name else "" for name in (old, new))
    yield diff(before, after, limit), used or {name for name in (old, new) if name}


def _first(given: dict[str, Any], names: dict[str, str], keys: tuple[str, ...]) -> Any:
    return next((given[names[key]] for key in keys if key in names), None)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _is_patch(text: str) -> bool:
    return text.lstrip().startswith(_PATCHES) and ("\n+" in text or "\n-" in text)


def _swaps(text: str, limit: int | None) -> list[Part]:
    """A diff for each pair of old and new lines; none where there is other text too."""
    if " SEARCH" not in text or _SWAP.sub("", text).strip():
        return []
    return [diff(old.rstrip("\n"), new.rstrip("\n"), limit) for old, new in _SWAP.findall(text)]


def todo_line(given: str | None) -> str | None:
    """A list of things to do in one line: how much of it is done, and what is being done."""
    if given is None or '"status"' not in given:
        return None
    try:
        value = json.loads(given)
    except (ValueError, RecursionError):
        return None
    steps = (
        next((one for one in value.values() if _is_todo(one)), None) if isinstance(value, dict) else None
    )
    if steps is None:
        return None
    done = sum(_SIGNS.get(str(one["status"])) == "☑" for one in steps)
    doing = next((_step(one) for one in steps if one["status"] == "in_progress"), None)
    return f"{done} of {len(steps)} done" + (f": {doing}" if doing else "")


def _is_todo(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and "status" in one and _step(one) for one in value)
    )


def _step(one: dict[str, Any]) -> str:
    return next((str(one[key]) for key in _STEP if one.get(key)), "")


_SIGNS = {"completed": "☑", "done": "☑", "in_progress": "◐", "cancelled": "☒"}


def _todo(steps: list[dict[str, Any]]) -> str:
    items = []
    for one in steps:
        status = str(one["status"])
        label = escape(status.replace("_", " "))
        items.append(
            f'<li class="todo-{"done" if _SIGNS.get(status) == "☑" else "open"}">'
            f'<span role="img" aria-label="{label}" title="{label}">{_SIGNS.get(status, "☐")}</span> '
            f"{escape(visible(_step(one)))}</li>"
        )
    return f"<ul class='todo'>{''.join(items)}</ul>"


def _command(text: str, limit: int | None) -> Part:
    text, left_out = cut(visible(text), limit)
    html = highlight(text, "bash") if limit is None else escape(text)
    return Part("command", "command", f"<pre><code>{html}</code></pre>", left_out)


def _file(text: str, path: str, limit: int | None) -> Part:
    lines = text.count("\n") + (not text.endswith("\n"))
    text, left_out = cut(visible(text), limit)
    html = highlight_file(text, path) if limit is None or len(text) < COLOURED else escape(text)
    html = f"<pre><code>{html}</code></pre>"
    return Part("file", f"{lines:,} line{'' if lines == 1 else 's'}", html, left_out)


def _prose(name: str, text: str, limit: int | None) -> Part:
    text, left_out = cut(text, limit)
    return Part("prose", name, markdown(text, breaks=True), left_out)


def _plain(name: str, text: str, limit: int | None) -> Part:
    text, left_out = cut(visible(text), limit)
    return Part("field", name, f"<pre>{escape(text)}</pre>", left_out)


def _json(name: str, value: object, limit: int | None) -> Part:
    text, left_out = cut(visible(json.dumps(value, ensure_ascii=False, indent=2)), limit)
    return Part("field", name, f"<pre><code>{highlight(text, 'json')}</code></pre>", left_out)


def _fields(given: dict[str, Any], limit: int | None) -> Iterator[Part]:
    """What is short on one line each, the rest in blocks."""
    short: list[tuple[str, Any, str]] = []
    long: list[tuple[str, Any, str]] = []
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        (short if len(text) <= _SHORT and "\n" not in text else long).append((name, value, text))
    if short:
        rows = "".join(
            f"<dt>{escape(visible(name))}</dt><dd>{escape(visible(text))}</dd>"
            for name, _, text in short
        )
        yield Part("fields", "", f"<dl class='fields'>{rows}</dl>")
    for name, value, text in long:
        if isinstance(value, str):
            yield _patch(value, limit) if _is_patch(value) else _plain(name, text, limit)
        else:
            yield _json(name, value, limit)


def _patch(text: str, limit: int | None) -> Part:
    text, left_out = cut(visible(text), limit)
    return Part(
        "diff",
        "patch",
        f"<pre class='diff'>{''.join(map(_patch_line, text.split(chr(10))))}</pre>",
        left_out,
    )


def _patch_line(line: str) -> str:
    if line.startswith(("*** ", "diff --git", "--- ", "+++ ", "@@", "index ")):
        return f"<span class='at'>{escape(line)}\n</span>"
    return _sign(line[:1], line) if line[:1] in ("+", "-") else f"<span>{escape(line)}\n</span>"


def _sign(sign: str, line: str) -> str:
    return f"<{_TAG[sign]}>{escape(line)}\n</{_TAG[sign]}>"


_TAG = {"+": "ins", "-": "del"}


def diff(old: str, new: str, limit: int | None = SHOWN) -> Part:
    """What an edit changes, with three lines round each change."""
    before, after = visible(old).split("\n"), visible(new).split("\n")
    lines = _changes(before, after) if len(before) + len(after) <= DIFFED else _swap(before, after)
    shown, size, left_out = [], 0, 0
    for sign, line in lines:
        size += len(line) + 1
        if limit is not None and size > limit:
            left_out += len(line) + 1
        else:
            text = f"{sign}{line}"
            shown.append(_sign(sign, text) if sign in _TAG else f"<span>{escape(text)}\n</span>")
    label = f"+{sum(sign == '+' for sign, _ in lines)} −{sum(sign == '-' for sign, _ in lines)}"
    return Part("diff", label, f"<pre class='diff'>{''.join(shown)}</pre>", left_out)


def _swap(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    gone = [("-", line) for line in before if before != [""]]
    return gone + [("+", line) for line in after if after != [""]]


def _changes(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    if before == [""] or after == [""]:
        return _swap(before, after)
    lines: list[tuple[str, str]] = []
    for group in SequenceMatcher(None, before, after).get_grouped_opcodes(3):
        if lines:
            lines.append(("…", ""))
        for what, a, b, c, d in group:
            if what == "equal":
                lines += [(" ", line) for line in before[a:b]]
            else:
                lines += [("-", line) for line in before[a:b]] + [("+", line) for line in after[c:d]]
    return lines


def _output(call: Call, limit: int | None) -> Iterator[Part]:
    if not call.output or not call.output.strip():
        return
    text, left_out = cut(visible(call.output), limit)
    if call.kind == "agent" and not text.lstrip().startswith(("{", "[")):
        html = markdown(text)
        yield Part("prose", "result", html, left_out)
    else:
        yield Part("output", "output", f"<pre>{escape(text)}</pre>", left_out)


def cut(text: str, limit: int | None) -> tuple[str, int]:
    """The text's beginning, to a line's end if one is near; and how many characters are left out."""
    if limit is None or len(text) <= limit:
        return text, 0
    line = text.rfind("\n", limit - limit // 4, limit)
    end = line + 1 if line > 0 else limit
    return text[:end], len(text) - end
