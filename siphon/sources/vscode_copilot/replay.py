"""The mutation log: each line changes one document; the first one is the document."""

from itertools import pairwise
from typing import Any

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.sources._loose import items


class Change(msgspec.Struct):
    """`kind` 0: the whole document; 1: set; 2: cut at `i`, then append; 3: delete."""

    kind: Any = None
    k: Any = None
    v: Any = msgspec.UNSET
    i: Any = None


Places = list[tuple[int, int]]  # (offset, length) of the line that brought each request
_CHANGE = msgspec.json.Decoder(Change)
_UNSAFE = ("__proto__", "constructor", "prototype")


def replayed(log: Log) -> tuple[dict[str, Any] | None, Places]:
    """The document after all changes, None if there was none; and which line brought which request."""
    state: dict[str, Any] | None = None
    places: Places = []
    for line, change in log.objects(_CHANGE):
        if change.kind == 0 and isinstance(change.v, dict):
            state = change.v
            places = _placed(state, line)
        elif state is None:
            log.problem("a change before the document", line.number, line.offset)
        elif not _change(state, change):
            log.problem(
                f"a change that fits nowhere: {change.kind} {change.k}", line.number, line.offset
            )
        elif change.k == ["requests"]:
            kept = _kept(change, len(places))
            places[kept:] = _placed(state, line)[kept:]
        elif change.k[0] == "requests" and len(change.k) == 2:
            gone = change.kind == 3 or change.v is msgspec.UNSET
            places[change.k[1] : change.k[1] + 1] = [] if gone else [(line.offset, len(line.data))]
    if state is None:
        log.problem("no document: the log begins with no record of kind 0")
    return state, places


def _kept(change: Change, length: int) -> int:
    """How many items of a list a change leaves: a push all of them, or those before `i`."""
    if change.kind != 2:
        return 0
    return change.i if isinstance(change.i, int) and 0 <= change.i <= length else length


def _placed(state: dict[str, Any], line: Line) -> Places:
    return [(line.offset, len(line.data))] * len(items(state.get("requests")))


def _change(state: dict[str, Any], change: Change) -> bool:
    """Apply a change; False if its path leads nowhere."""
    path = change.k
    if not isinstance(path, list) or not path or not all(map(_fits, path)):
        return False
    holder: Any = state
    for key, after in pairwise(path):
        holder = _inside(holder, key, [] if isinstance(after, int) else {}, change.kind in (1, 2))
    if change.kind == 1:
        return (
            _delete(holder, path[-1]) if change.v is msgspec.UNSET else _set(holder, path[-1], change.v)
        )
    if change.kind == 2:
        return _push(_inside(holder, path[-1], [], True), change)
    return change.kind == 3 and _delete(holder, path[-1])


def _fits(key: Any) -> bool:
    if isinstance(key, str):
        return key not in _UNSAFE
    return isinstance(key, int) and not isinstance(key, bool) and key >= 0


def _inside(holder: Any, key: str | int, fresh: Any, make: bool) -> Any:
    """What lies at a key; made where it is missing."""
    found = _get(holder, key)
    if found is None and make and _set(holder, key, fresh):
        return fresh
    return found


def _get(holder: Any, key: str | int) -> Any:
    if isinstance(holder, dict) and isinstance(key, str):
        return holder.get(key)
    if isinstance(holder, list) and isinstance(key, int) and key < len(holder):
        return holder[key]
    return None


def _set(holder: Any, key: str | int, value: Any) -> bool:
    if isinstance(holder, dict) and isinstance(key, str):
        holder[key] = value
        return True
    if isinstance(holder, list) and isinstance(key, int) and key <= len(holder):
        holder[key : key + 1] = [value]
        return True
    return False


def _push(holder: Any, change: Change) -> bool:
    if not isinstance(holder, list):
        return False
    del holder[_kept(change, len(holder)) :]
    holder.extend(items(change.v))
    return True


def _delete(holder: Any, key: str | int) -> bool:
    if isinstance(holder, dict) and isinstance(key, str):
        holder.pop(key, None)
        return True
    if isinstance(holder, list) and isinstance(key, int) and key < len(holder):
        del holder[key]
        return True
    return False
