"""Edits that were applied: VS Code keeps them beside the calls that made them."""

from collections.abc import Mapping
from typing import Any

from siphon.records import Action, FileTouch, ToolCall
from siphon.sources.vscode_copilot import tools
from siphon.sources.vscode_copilot.turn import Turn


def edit(turn: Turn, kind: str, part: Mapping[str, Any]) -> None:
    """An edit that was applied: of the last call that edits, else (in edit mode) a call of its own."""
    rows = turn.rows
    path, added, removed = tools.edited(part)
    if path is None:
        return
    lines = (added, removed) if kind == "textEditGroup" else (None, None)
    calls = (rows.call(seq) for seq in range(rows.last, turn.first - 1, -1))
    call = next((call for call in calls if call and call.kind in ("edit", "write")), None)
    if call is None:
        seq = rows.seq()
        made = tools.applied(
            rows.native_id, seq, f"{turn.reply}/edit {seq - turn.first}", kind, path, turn.ts
        )
        call = turn.of(made)
    _touch(turn, call, path, lines)


def _touch(turn: Turn, call: ToolCall, path: str, lines: tuple[int | None, int | None]) -> None:
    """Give an edit's lines to the file and the call."""
    touches = turn.rows.touches
    start = len(touches)
    while start and touches[start - 1].call_seq >= turn.first:
        start -= 1
    mine = [t for t in touches[start:] if t.call_seq == call.seq and t.path == path]
    added, removed = lines
    for touch in mine:
        if touch.lines_added is not None and touch.lines_removed is not None:
            added, removed = _sum(touch.lines_added, added), _sum(touch.lines_removed, removed)
    action: Action = "write" if call.kind == "write" else "edit"
    kept = [t for t in touches[start:] if t not in mine]
    touches[start:] = [*kept, FileTouch(call.session, call.seq, path, action, added, removed)]
    own = [t for t in touches[start:] if t.call_seq == call.seq]
    total = [_sum(*(t.lines_added for t in own)), _sum(*(t.lines_removed for t in own))]
    turn.rows.put(call._replace(lines_added=total[0], lines_removed=total[1]))


def _sum(*counts: int | None) -> int | None:
    known = [n for n in counts if n is not None]
    return sum(known) if known else None
