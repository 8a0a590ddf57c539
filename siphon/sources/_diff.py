"""Lines added and removed: of unified diffs, of two texts, of apply_patch envelopes."""

from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from siphon.records import Action

_EXACT = 400  # lines of the larger text up to which the exact comparison is affordable


class Lines(NamedTuple):
    added: int
    removed: int


class Patched(NamedTuple):
    """One file of a patch."""

    path: str
    action: Action
    lines: Lines


def of_diff(diff: str) -> Lines:
    """Of a unified diff; file headers count only outside of hunks."""
    hunks = 0 if diff.startswith("@@") else diff.find("\n@@")
    if hunks >= 0 and "\ndiff --git " not in diff and "\nIndex: " not in diff:
        return Lines(diff.count("\n+", hunks), diff.count("\n-", hunks))  # of one file
    added = removed = 0
    in_hunk = bare = "\n@@" not in diff and not diff.startswith("@@")
    for row in diff.split("\n"):
        if row.startswith("@@"):
            in_hunk = True
        elif row.startswith(("diff --git ", "Index: ")) or (bare and row.startswith(("+++ ", "--- "))):
            in_hunk = bare
        elif in_hunk and row.startswith("+"):
            added += 1
        elif in_hunk and row.startswith("-"):
            removed += 1
    return Lines(added, removed)


def of_texts(old: str, new: str) -> Lines:
    """Of a text that became another; above 400 lines by their multisets, which does not see moves."""
    before, after = _changed(_rows(old), _rows(new))
    if not before or not after or not set(before) & set(after):
        return Lines(len(after), len(before))
    if max(len(before), len(after)) > _EXACT:
        return Lines(
            (Counter(after) - Counter(before)).total(), (Counter(before) - Counter(after)).total()
        )
    kept = sum(match.size for match in SequenceMatcher(None, before, after, False).get_matching_blocks())
    return Lines(len(after) - kept, len(before) - kept)


def _changed(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """Both without the lines at their beginnings and ends that are equal."""
    shorter = min(len(before), len(after))
    start = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    before, after = before[start:], after[start:]
    while before and after and before[-1] == after[-1]:
        before.pop()
        after.pop()
    return before, after


def _rows(text: str) -> list[str]:
    rows = text.split("\n")
    if rows[-1] == "":
        rows.pop()
    return rows


def of_patch(patch: str) -> Iterator[Patched]:
    """The files of an apply_patch envelope (`*** Update File: path`, then `+` and `-` lines)."""
    path, action, added, removed = "", "edit", 0, 0
    for row in [*patch.split("\n"), "*** End Patch"]:
        if not row.startswith("*** "):
            added += row.startswith("+")
            removed += row.startswith("-")
            continue
        verb, _, target = row[4:].partition(" File: ")
        if path and (target or row.startswith("*** End")):
            yield Patched(path, _ACTIONS[action], Lines(added, removed))
            path = ""
        if target and verb in _ACTIONS:
            path, action, added, removed = target.strip(), verb, 0, 0


_ACTIONS: dict[str, Action] = {"Update": "edit", "Add": "write", "Delete": "delete", "edit": "edit"}
