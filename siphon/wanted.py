"""Which files of a home are wanted, and where one has to look for them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from siphon.globs import compiled, fixed_folder
from siphon.source import Source

STORE_PARTS = ("-wal", "-journal")  # what belongs to an SQLite store besides its main file
_TEXT = (".json", ".jsonl", ".md", ".txt", ".log", ".zst")  # never stores, whatever else a tool has
_NEVER = re.compile(r"(?!)")


class Root(NamedTuple):
    """A folder to look in, "" being the home. Its regexes are made when it turns out to be there."""

    folder: str
    depth: int | None  # of the deepest file that may match, 1 being directly in the folder; None: any
    globs: tuple[str, ...]  # below the home, without alternatives in braces
    stores: tuple[str, ...]  # those of the globs whose matches are SQLite stores

    @property
    def match(self) -> re.Pattern[str]:
        """Fullmatches the files."""
        return _one_of(self.globs)

    @property
    def leads(self) -> re.Pattern[str]:
        """Fullmatches the folders above a file that may match."""
        return _one_of(tuple(sorted({above for glob in self.globs for above in _above(glob)})))

    def has(self, path: str) -> bool:
        """Whether the path lies in the folder."""
        return not self.folder or path.startswith(self.folder + "/")


class Wanted(NamedTuple):
    """The files to collect."""

    roots: tuple[Root, ...]
    only: tuple[str, ...] = ()  # globs of files, or of folders with all in them; none: everything
    never: tuple[str, ...] = ()  # globs as well; what is in both is not wanted

    def match(self, path: str) -> bool:
        """Whether this file is one of them."""
        return self.allows(path) and any(
            root.match.fullmatch(path) for root in self.roots if root.has(path)
        )

    def allows(self, path: str) -> bool:
        """Whether `only` and `never` leave it in."""
        if not (self.only or self.never):
            return True
        for part in STORE_PARTS:
            path = path.removesuffix(part)  # goes with its store
        here = not self.only or _below(self.only).fullmatch(path) is not None
        return here and not _below(self.never).fullmatch(path)

    def concerns(self, path: str) -> bool:
        """Whether a link at this path may stand for one of them, or for a folder above one."""
        return any(
            root.match.fullmatch(path) or root.leads.fullmatch(path)
            for root in self.roots
            if root.has(path)
        )

    def stores(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths that are SQLite stores."""
        by_top = defaultdict(list)  # first part of a root's folder → such roots; "" leads everywhere
        for root in self.roots:
            if root.stores:
                by_top[root.folder.partition("/")[0]].append(root)
        return [path for path in paths if _is_store(path, by_top)]


def _is_store(path: str, by_top: Mapping[str, Sequence[Root]]) -> bool:
    roots = (*by_top.get(path.partition("/")[0], ()), *by_top.get("", ()))
    return any(_one_of(root.stores).fullmatch(path) for root in roots)


def wanted(sources: Iterable[Source]) -> Wanted:
    """What these sources' globs ask for, companions and the parts of stores included."""
    globs = (_globs(source.globs, source.beside, source.sqlite) for source in sources)
    return Wanted(_roots(tuple(pair for pairs in globs for pair in pairs)))


@cache
def _roots(globs: tuple[tuple[str, bool], ...]) -> tuple[Root, ...]:
    """For globs that match stores, or do not."""
    by_folder: dict[str, dict[str, bool]] = defaultdict(dict)
    for glob, store in globs:
        same = by_folder[fixed_folder(glob)]
        same[glob] = same.get(glob, False) or store
    return tuple(_root(folder, globs) for folder, globs in sorted(by_folder.items()))


@cache
def _globs(
    globs: tuple[str, ...], beside: tuple[str, ...], sqlite: bool
) -> tuple[tuple[str, bool], ...]:
    """A source's globs, and whether they match stores."""
    found = []
    for glob in (plain for each in globs for plain in _alternatives(each)):
        store = sqlite and not glob.endswith(_TEXT)
        found.append((glob, store))
        if store:
            found += [(glob + part, False) for part in STORE_PARTS]
    return (*found, *((plain, False) for each in beside for plain in _alternatives(each)))


def _root(folder: str, globs: dict[str, bool]) -> Root:
    above = len(folder.split("/")) if folder else 0
    deep = any("**" in glob for glob in globs)
    return Root(
        folder=folder,
        depth=None if deep else max(glob.count("/") + 1 - above for glob in globs),
        globs=tuple(sorted(globs)),
        stores=tuple(sorted(glob for glob, store in globs.items() if store)),
    )


@cache
def _one_of(globs: tuple[str, ...]) -> re.Pattern[str]:
    parts = [f"(?:{compiled(glob).pattern})" for glob in globs]
    return re.compile("|".join(parts), re.DOTALL) if parts else _NEVER


@cache
def _below(globs: tuple[str, ...]) -> re.Pattern[str]:
    """Fullmatches what the globs match, and all that lies in it."""
    parts = [f"(?:{compiled(glob.rstrip('/')).pattern})(?:/.*)?" for glob in globs]
    return re.compile("|".join(parts), re.DOTALL) if parts else _NEVER


@cache
def _above(glob: str) -> tuple[str, ...]:
    """Globs of the folders above a match."""
    parts = glob.split("/")
    above = []
    for end in range(1, len(parts)):
        above.append("/".join(parts[:end]))
        if "**" in parts[end - 1]:
            break  # it matches all that is below
    return tuple(above)


def _alternatives(glob: str) -> list[str]:
    """The glob once for each choice of its `{a,b}`."""
    braces = re.search(r"\{([^{}]*)\}", glob)
    if braces is None:
        return [glob]
    before, after = glob[: braces.start()], glob[braces.end() :]
    return [one for part in braces[1].split(",") for one in _alternatives(before + part + after)]
