"""Commands to a shell that a command run here gives, as `docker exec -i NAME sh` does."""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from siphon.errors import SiphonError
from siphon.hosts import BLOCK
from siphon.line import ERRORS_KEPT, Running, script, started, told
from siphon.stream import IDLE_SECONDS, Stream

_END_SECONDS = 10  # for a command to end once its output is closed


class CommandLine:
    """A command that gives a shell; it is run anew for each of ours."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.wire = 0

    def run(self, command: str, words: bytes = b"") -> Running:
        return _Process(self.words, script(command, words), self._count)

    def close(self) -> None:
        """Nothing to hang up: each command ends by itself."""

    def _count(self, size: int) -> None:
        self.wire += size


class _Process:
    """A command run here."""

    def __init__(self, words: Sequence[str], given: bytes, count: Callable[[int], None]) -> None:
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd="/",  # a user it runs as may not be allowed in ours
                process_group=0,  # Ctrl-C reaches us, and we end it
            )
        except OSError as error:
            raise SiphonError(f"{words[0]}: cannot be run: {error.strerror}") from error
        self._count = count
        self._errors = bytearray()
        self._threads = started((self._send, (given,)), (self._listen, ()))
        self.out = Stream(self._receive)

    def errors(self) -> list[str]:
        return told(self._threads, self._errors)

    def __enter__(self) -> "_Process":
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        self._pipe(process.stdout).close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(PermissionError):  # of another user, as sudo makes it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for thread in self._threads:
            thread.join(_END_SECONDS)
        self._pipe(process.stderr).close()

    def _receive(self) -> bytes:
        pipe = self._pipe(self._process.stdout)
        if not select.select([pipe], [], [], IDLE_SECONDS)[0]:
            raise SiphonError(f"no answer for {IDLE_SECONDS} seconds")
        block = pipe.read(BLOCK)
        self._count(len(block))
        return block

    def _send(self, given: bytes) -> None:
        with suppress(BrokenPipeError), self._pipe(self._process.stdin) as pipe:
            self._count(len(given))
            while given:  # unbuffered: it may take less than all
                given = given[pipe.write(given) :]

    def _listen(self) -> None:
        while block := self._pipe(self._process.stderr).read(BLOCK):
            self._errors += block[: max(0, ERRORS_KEPT - len(self._errors))]

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        assert pipe is not None
        return pipe
