"""What is in a bucket. A listing that cannot be had is an error, never an empty one.

The library refuses a whole listing over one name that is no path (`..`, `//`, a control character). Such
a name hides no more than the folder it lies in: the others are listed one by one then.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import obstore
from obstore.exceptions import BaseError, InvalidPathError

from siphon.bucketerrors import reason
from siphon.errors import SiphonError
from siphon.etag import bare
from siphon.layout import MARK, RAW, with_tools
from siphon.wanted import Wanted

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

_PAGE = 1000
_AT_ONCE = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Object(NamedTuple):
    """An object as it is listed."""

    key: str
    size: int
    mtime: int  # ns: when it was put there
    etag: str | None

    @classmethod
    def of(cls, meta: "ObjectMeta") -> "Object":
        """What the library tells."""
        age = (meta["last_modified"] - _EPOCH) // timedelta(microseconds=1)
        return cls(meta["path"], meta["size"], age * 1000, bare(meta["e_tag"]))


def listed(
    store: "ObjectStore", where: str, folder: str, wanted: Wanted
) -> tuple[list[Object], list[str]]:
    """All objects in a folder, or those of them that can be seen, and what hides others."""
    walk = _Walk(
        store,
        where,
        sorted(f"{folder}/{root.folder}" for root in with_tools(wanted).roots if root.folder),
    )
    walk.into(folder)
    return list(walk.found.values()), walk.problems


def pushed(store: "ObjectStore", where: str) -> dict[str, int | None]:
    """The machines there, and when they last pushed (ms), if they tell.

    A machine is a folder that has a folder `raw`. Raises SiphonError where they cannot be listed.
    """
    try:
        names = obstore.list_with_delimiter(store)["common_prefixes"]
    except BaseError as error:
        raise _unlisted(where, error) from None
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(partial(_machine, store, where), names))
    return {name: heard for name, (has, heard) in zip(names, found, strict=True) if has}


def _machine(store: "ObjectStore", where: str, name: str) -> tuple[bool, int | None]:
    """Whether the folder is a machine's, and when it last pushed."""
    try:
        level = obstore.list_with_delimiter(store, name)
    except InvalidPathError:
        return True, None  # the name that is no path is told when the machine is listed
    except BaseError as error:
        raise _unlisted(where, error) from None
    marks = [Object.of(meta) for meta in level["objects"] if meta["path"] == f"{name}/{MARK}"]
    has = bool(marks) or f"{name}/{RAW}" in level["common_prefixes"]
    return has, marks[0].mtime // 10**6 if marks else None


class _Walk:
    """A listing, folder by folder where it must be."""

    def __init__(self, store: "ObjectStore", where: str, wanted: Sequence[str]) -> None:
        self.found: dict[str, Object] = {}  # by key
        self.problems: list[str] = []
        self._store = store
        self._where = where
        self._wanted = wanted  # folders where logs may lie

    def into(self, folder: str) -> None:
        """List a folder and all below."""
        try:
            pages = obstore.list(self._store, folder, chunk_size=_PAGE)
            self._add([Object.of(meta) for page in pages for meta in page])
        except InvalidPathError:
            self._one_by_one(folder)
        except BaseError as error:
            raise _unlisted(self._where, error) from None

    def _one_by_one(self, folder: str) -> None:
        try:
            level = obstore.list_with_delimiter(self._store, folder)
        except InvalidPathError as error:
            self.problems.append(f"{self._where}/{folder}: {_hiding(error)}")
            for each in _topmost([each for each in self._wanted if each.startswith(folder + "/")]):
                self.into(each)
            return
        except BaseError as error:
            raise _unlisted(self._where, error) from None
        self._add([Object.of(meta) for meta in level["objects"]])
        for prefix in level["common_prefixes"]:
            self.into(prefix)

    def _add(self, objects: Sequence[Object]) -> None:
        self.found.update((each.key, each) for each in objects)


def _unlisted(where: str, error: BaseError) -> SiphonError:
    if isinstance(error, InvalidPathError):
        return SiphonError(f"{where}: {_hiding(error)}")
    return SiphonError(f"{where}: cannot be listed: {reason(error)}")


def _hiding(error: InvalidPathError) -> str:
    """What the library says about a name, printable, without its pages of details."""
    said = str(error).partition("\n\nDebug source")[0]
    name = said.removeprefix("Encountered object with invalid path: ")
    return f"a name here is no path and hides what lies beside it; drop it: {ascii(name)[1:-1][:300]}"


def _topmost(folders: Sequence[str]) -> list[str]:
    """Those that do not lie in another one; the folders are sorted."""
    top: list[str] = []
    for folder in folders:
        if not top or not (folder == top[-1] or folder.startswith(top[-1] + "/")):
            top.append(folder)
    return top
