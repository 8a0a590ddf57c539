"""Which file is which task: its companions, its copies in other editors, files found elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec

from siphon.log import Log
from siphon.records import Record, Relation, Request, Session, Tally
from siphon.sources._loose import mapping, one_line, stamp, text
from siphon.sources.cline import direct, timeline
from siphon.sources.cline.files import (
    Element,
    Metadata,
    array,
    document,
    elements,
    history_items,
    metadata,
)
from siphon.sources.cline.history import History, history
from siphon.sources.cline.skips import SKIPS
from siphon.sources.cline.state import State
from siphon.sources.cline.tools import Calls
from siphon.sources.cline.usage import Usage

Rule = Callable[[dict[str, Any]], Usage]

# Editors whose copies of one another's tasks are looked for; where a task lies is free (globs).
_EDITORS = (
    *("Code", "Code - Insiders", "VSCodium", "VSCodium - Insiders", "Code - OSS", "Cursor"),
    *("Windsurf", "Windsurf - Next", "Trae", "Antigravity", "Kiro", "Positron"),
)
_UI, _API, _INDEXES = (
    "ui_messages.json",
    "api_conversation_history.json",
    ("taskHistory.json", "_index.json"),
)


class _Timed(msgspec.Struct):
    ts: Any = None


_TIMED = msgspec.json.Decoder(list[_Timed])


def parse(log: Log, usage: Rule) -> Iterator[Record]:
    """The task of a file of one product; `usage` is the product's rule for tokensIn."""
    if log.name in _INDEXES:
        yield from _orphans(log, usage)
    elif _told_elsewhere(log) or _copied(log):
        yield Tally("twin", "skipped", 1)
    else:
        yield from _task(log, usage)


def _task(log: Log, usage: Rule) -> Iterator[Record]:
    task = log.parts[-2] if len(log.parts) > 1 else log.stem
    found = elements(log)
    if not found:
        return
    sent = found if log.name == _API else array(log, _API)
    past, told = history(sent), metadata(log)
    item = _item(log, task, past)
    state = State(task, Calls(past.calls), _models(past, told, found, item), usage)
    if log.name == _API:
        yield from direct.records(state, found, past.calls)
    else:
        yield from timeline.records(state, found)
    yield _session(state, past, told, item)
    if parent := text(item.get("parentTaskId")):
        yield Relation(task, "subagent", parent)
    for name, n in sorted(state.known.items()):
        yield Tally(name, "skipped" if name in SKIPS else "read", n)
    for name, n in sorted(state.unknown.items()):
        yield Tally(name, "unknown", n)


def _item(log: Log, task: str, past: History) -> dict[str, Any]:
    """The task's HistoryItem. The shared index changes with every task: it is asked only if need be."""
    item = mapping(document(log, "history_item.json"))
    if item or past.cwd:
        return item
    for path in ("../_index.json", "../../state/taskHistory.json"):
        for item in history_items(document(log, path)):
            if item["id"] == task:
                return item
    return {}


def _models(
    past: History, told: Metadata, found: Sequence[Element], item: dict[str, Any]
) -> list[tuple[int, str, str | None]]:
    models = [*past.models, *told.models]
    for element in found:
        info = mapping(element.value.get("modelInfo"))
        if model := text(info.get("modelId")):
            models.append((stamp(element.value.get("ts")) or 0, model, text(info.get("providerId"))))
    if not models and (model := text(item.get("modelId"))):
        models.append((0, model, None))
    return sorted(models, key=lambda use: use[0])


def _session(state: State, past: History, told: Metadata, item: dict[str, Any]) -> Session:
    cwd = text(item.get("workspace")) or text(item.get("cwdOnTaskInitialization")) or past.cwd
    parent = text(item.get("parentTaskId"))
    return Session(
        native_id=state.task,
        title=one_line(item.get("task")) or told.title or one_line(state.first_prompt),
        project=cwd,
        cwd=cwd,
        version=told.version,
        started_at=state.started_at,
        ended_at=state.ended_at,
        kind="subagent" if parent else "main",
        entrypoint=told.host,
        agent=text(item.get("mode")) if parent else None,
    )


def _orphans(log: Log, usage: Rule) -> Iterator[Record]:
    """The tasks that are only in the index, their files gone: what they were and took."""
    folder = "." if log.name == "_index.json" else "../tasks"
    found = document(log, log.name)
    known = 0
    seen: set[str] = set()
    for item in history_items(found):
        task = item["id"]
        if (
            task in seen
            or "/" in task
            or any(log.near(f"{folder}/{task}/{name}") for name in (_UI, _API))
        ):
            known += 1
            continue
        seen.add(task)
        yield from _remembered(item, usage)
    if seen:
        yield Tally("history item", "read", len(seen))
    if known:
        yield Tally("index", "skipped", known)


def _remembered(item: dict[str, Any], usage: Rule) -> Iterator[Record]:
    task, ts = item["id"], stamp(item.get("ts"))
    begun = stamp(int(task)) if task.isdecimal() and len(task) == 13 else None
    cwd = text(item.get("workspace")) or text(item.get("cwdOnTaskInitialization"))
    parent = text(item.get("parentTaskId"))
    yield Session(
        native_id=task,
        title=one_line(item.get("task")),
        project=cwd,
        cwd=cwd,
        started_at=ts if begun is None else begun,
        ended_at=ts,
        kind="subagent" if parent else "main",
        partial=True,
    )
    used = usage({**item, "cost": item.get("totalCost")})
    if used.input or used.output:
        yield Request(
            session=task,
            native_id=f"{task}/total",
            seq=0,
            model=text(item.get("modelId")),
            ts=ts,
            input_tokens=used.input,
            cache_read_tokens=used.cache_read,
            cache_write_tokens=used.cache_write,
            output_tokens=used.output,
            reported_nanousd=used.nanousd,
            aggregate=True,
        )
    if parent:
        yield Relation(task, "subagent", parent)


def _told_elsewhere(log: Log) -> bool:
    """Whether the task is read from its timeline, of which this file is the model's side."""
    return log.name == _API and _last_ts(log.near(_UI)) is not None


def _copied(log: Log) -> bool:
    """Whether another editor holds a copy that went on longer (or is as long and comes first here)."""
    folders = list(log.parts)
    if "User" not in folders or folders.index("User") == 0:
        return False
    place = folders.index("User") - 1
    mine: int | None = None
    for editor in _EDITORS:
        path = str(PurePosixPath(*folders[:place], editor, *folders[place + 1 :]))
        theirs = None if path == log.path else _last_ts(log.at(path))
        if theirs is not None:
            mine = _last_ts(log) or 0 if mine is None else mine
            if (theirs, _rank(folders[place])) > (mine, _rank(editor)):
                return True
    return False


def _rank(editor: str) -> int:
    return _EDITORS.index(editor) if editor in _EDITORS else len(_EDITORS)


def _last_ts(log: Log | None) -> int | None:
    """The last time in a file of messages; None: not there, or not readable."""
    if log is None:
        return None
    try:
        found = _TIMED.decode(log.data())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return max((stamp(each.ts) or 0 for each in found), default=None)


def recognise(log: Log, product: str, folder: str) -> str | None:
    """For a loose file: its place, if it is a task of the product."""
    if log.name not in (_UI, _API):
        return None
    found = _heads(log)
    if not found or not any(element.value for element in found):
        return None
    other = log.near(_API if log.name == _UI else _UI)  # one of the two may bear no mark
    if _product([*found, *(_heads(other) if other else ())]) != product:
        return None
    task = log.parts[-2] if len(log.parts) > 1 else str(stamp(found[0].value.get("ts")) or "task")
    return f".config/Code/User/globalStorage/{folder}/tasks/{task}/{log.name}"


def _heads(log: Log) -> Sequence[Element]:
    """The first elements; what is wrong with the others is not told here."""
    return elements(Log(log.home, log.host, log.path))[:400]


_ROO_SAYS = {
    *("checkpoint_saved", "condense_context", "api_req_retry_delayed", "subtask_result"),
    *("rooignore_error", "codebase_search_result", "sliding_window_truncation", "user_edit_todos"),
}
_CLINE_SAYS = {
    *("task", "checkpoint_created", "task_progress", "deleted_api_reqs", "subagent_usage"),
    *("plan_mode_respond", "use_subagents", "clineignore_error"),
}


def _product(found: Sequence[Element]) -> str | None:
    """cline or roo_code, whose marks they bear (Kilo Code's look like Roo Code's); None: neither's."""
    shapes = [element.value for element in found]
    if not all({"ts", "role", "timestamp", "type"} & set(value) for value in shapes):
        return None
    said = {str(value.get("say") or value.get("ask")) for value in shapes}
    if said & _CLINE_SAYS or any("modelInfo" in value or "metrics" in value for value in shapes):
        return "cline"
    summed = any("isSummary" in value or "condenseId" in value for value in shapes)
    spoken = any("apiProtocol" in str(value.get("text"))[-400:] for value in shapes)
    return "roo_code" if said & _ROO_SAYS or summed or spoken else "cline"
