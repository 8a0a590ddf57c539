"""Pushing into a folder of this machine, such as a share that others mount, too."""

import os
import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from siphon import private
from siphon.errors import SiphonError
from siphon.hosts import Found
from siphon.inboxhost import InboxHost
from siphon.layout import PARTS, RAW
from siphon.pathtext import raw
from siphon.pushtarget import Content, mark_of
from siphon.wanted import Wanted


class FolderTarget:
    """One machine's folder in an inbox."""

    def __init__(self, inbox: Path, machine: str) -> None:
        if not inbox.is_dir():
            raise SiphonError(f"{inbox}: no such folder; make it first")
        self.name = str(inbox)
        self._machine = inbox / machine
        self._numbers = count()

    def sweep(self) -> None:
        shutil.rmtree(self._machine / PARTS, ignore_errors=True)

    def there(self, wanted: Wanted) -> Mapping[str, Found]:
        return InboxHost(self._machine).find(wanted).found

    def put(self, content: Content) -> str:
        place = Path(os.fsdecode(os.fsencode(self._machine / RAW) + b"/" + raw(content.path)))
        part = self._machine / PARTS / f"{os.getpid()}-{next(self._numbers)}"
        try:
            private.folder(place.parent)
            private.folder(part.parent)
            with content.file as source, private.create(part) as file:
                shutil.copyfileobj(source, file, 1 << 20)
            os.utime(part, ns=(content.mtime, content.mtime))
            private.sync([part])
            part.replace(place)
            private.sync([place.parent])
        except OSError as error:
            part.unlink(missing_ok=True)
            raise SiphonError(f"{place}: {error.strerror}") from error
        return mark_of(Found(content.path, content.size, content.mtime, None))

    def say(self, name: str, data: bytes) -> None:
        part = self._machine / PARTS / f"{os.getpid()}-{name}"
        try:
            private.folder(part.parent)
            with private.create(part) as file:
                file.write(data)
            part.replace(self._machine / name)
        except OSError as error:
            raise SiphonError(f"{self._machine / name}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing to hang up."""
