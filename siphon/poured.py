"""A page that is sent as it is made: its head is painted while the rest is read and rendered."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from datasette.utils.asgi import AsgiStream  # type: ignore[import-untyped]  # it carries no types
from markupsafe import Markup

from siphon.errors import SiphonError
from siphon.web import filling, page_headers, read

Context = Mapping[str, Any]
Late = Callable[[], Context]

_BLOCK = 256_000  # characters sent at once, about
_BROKEN = Markup('<p class="sorry" role="alert">The page ends here: {}. Reload it to try again.</p>')


class _Blocks:
    """What a thread makes of a page, for the event loop to send; None ends it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def fill(self, pieces: Callable[[Context], Iterator[str]], context: Context, late: Late) -> None:
        """Put the pieces of the page, some at a time; what stands before `late` is called goes first."""
        made: list[str] = []

        def head() -> Context:
            self._put(made)
            made.clear()
            return late()

        length = 0
        for piece in pieces({**context, "late": head}):
            made.append(piece)
            length += len(piece)
            if length > _BLOCK:
                self._put(made)
                made.clear()
                length = 0
        self._put(made)

    def _put(self, made: list[str]) -> None:
        block = "".join(made).encode(errors="replace")
        self.loop.call_soon_threadsafe(self.queue.put_nowait, block)


async def poured(
    datasette: Any,
    request: Any,
    template: str,
    ask: Callable[[sqlite3.Connection], tuple[Context, Late]],
) -> AsgiStream:
    """The template filled with what `ask` finds: the values of its head, and a function for the others.

    The template calls that, by the name `late`, where its head ends. Errors until then are raised, as
    there is no page yet; a later one ends the page with a line that tells it.
    """
    blocks = _Blocks()
    pieces = partial(filling, datasette, request, template)

    def fill(connection: sqlite3.Connection) -> None:
        blocks.fill(pieces, *ask(connection))

    work = asyncio.ensure_future(read(datasette, request, fill))
    work.add_done_callback(lambda _: blocks.queue.put_nowait(None))
    first = await blocks.queue.get()
    if first is None:
        await work  # raises what went wrong
    send = partial(_sent, first, blocks.queue, work)
    return AsgiStream(send, headers=page_headers(datasette), content_type="text/html; charset=utf-8")


async def _sent(
    first: bytes | None, queue: asyncio.Queue[bytes | None], work: asyncio.Future[None], writer: Any
) -> None:
    block = first
    while block is not None:
        # The writer itself would have text.
        await writer.send({"type": "http.response.body", "body": block, "more_body": True})
        block = await queue.get()
    try:
        await work
    except SiphonError as error:
        await writer.write(_BROKEN.format(str(error).partition("; ")[0]))
