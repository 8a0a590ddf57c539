"""How logs lie in a bucket or an inbox: <machine>/raw/<path below its home>.

A name there is a path as text (siphon/pathtext.py), in which control characters are escapes, too, as no
bucket takes them. What other programs put under <machine>/raw/<tool>/… belongs where the tool has it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from siphon.globs import fixed_folder
from siphon.hostconfig import HOST_NAME
from siphon.pathtext import inside, raw, text
from siphon.sources import sources
from siphon.wanted import Root, Wanted

RAW = "raw"
PARTS = ".parts"  # beside it in an inbox: what is on its way
MARK = "pushed.json"  # beside it: when the machine last pushed, though nothing was new
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_MACHINE = 100


class Place(NamedTuple):
    """Where a name belongs below a home."""

    path: str
    direct: bool  # False: it lies in a tool's folder


def key(path: str) -> str:
    """The name of a log in a bucket, below `raw`."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", path)


def path_of(key: str) -> str | None:
    """The path that a name stands for; None: it would leave the home, or is no path."""
    bytes = raw(key)
    return text(bytes) if inside(bytes) else None


def is_machine(name: str) -> bool:
    """Whether a folder may be a machine's: its name is going to be part of a host's."""
    return HOST_NAME.fullmatch(name) is not None and len(name) <= _LONGEST_MACHINE


def arranged(paths: Mapping[str, str], wanted: Wanted) -> tuple[dict[str, str], list[str]]:
    """The names of wanted logs by their paths below a home, and what is there twice.

    `paths` gives the path below `raw` for each name.
    """
    place = placer(wanted)
    placed = [(where, name) for name, path in paths.items() if (where := place(path)) is not None]
    found: dict[str, str] = {}
    problems = []
    for where, name in sorted(placed, key=lambda pair: not pair[0].direct):
        if where.path in found:
            problems.append(f"{name}: not collected: {found[where.path]} is the same log; drop one")
        else:
            found[where.path] = name
    return found, problems


def placer(wanted: Wanted) -> Callable[[str], Place | None]:
    """Tells where a path below `raw` belongs; None: it is not wanted."""
    by_top = defaultdict(list)  # first part of a root's folder → such roots; "" leads everywhere
    for root in wanted.roots:
        by_top[root.folder.partition("/")[0]].append((root.folder + "/", root.match))

    def match(path: str) -> bool:
        near = (*by_top.get(path.partition("/")[0], ()), *by_top.get("", ()))
        return any(
            (folder == "/" or path.startswith(folder)) and regex.fullmatch(path)
            for folder, regex in near
        )

    def place(path: str) -> Place | None:
        if match(path):
            return Place(path, direct=True)
        tool, _, rest = path.partition("/")
        there = (f"{folder}/{rest}" for folder in tool_folders().get(tool, ()))
        return next((Place(path, direct=False) for path in there if match(path)), None)

    return place


def with_tools(wanted: Wanted) -> Wanted:
    """What is wanted, and the same in tools' folders, for a walk that looks into wanted folders only."""
    homes = {folder: root for root in wanted.roots if (folder := root.folder)}
    more = [
        _moved(homes[folder], tool)
        for tool, folders in tool_folders().items()
        for folder in folders
        if folder in homes
    ]
    return Wanted((*wanted.roots, *more))


@cache
def tool_folders() -> Mapping[str, tuple[str, ...]]:
    """By the names under which a tool may be known, the folders below a home in which it keeps logs.

    A tool is known by its name, with hyphens for underscores, and by the first word, if that is enough:
    claude_code, claude-code, claude.
    """
    first: dict[str, set[str]] = defaultdict(set)
    for name in sources():
        first[name.partition("_")[0]].add(name)
    found = {}
    for name, source in sources().items():
        folders = tuple(dict.fromkeys(filter(None, map(fixed_folder, source.globs))))
        short = name.partition("_")[0]
        names = {name, name.replace("_", "-"), *([short] if len(first[short]) == 1 else [])}
        found.update(dict.fromkeys(names, folders))
    return found


def _moved(root: Root, tool: str) -> Root:
    """The root, as it lies in the tool's folder."""
    cut = len(root.folder)

    def moved(globs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tool + glob[cut:] for glob in globs)

    return root._replace(folder=tool, globs=moved(root.globs), stores=moved(root.stores))
