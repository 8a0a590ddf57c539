"""A `siphon` that ends with whoever began it, even where that is killed: its stdin is a pipe."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from siphon.cli import run

_ENDING_SECONDS = 5  # for it to end well


def begin(words: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start `siphon WORDS`, in a group of its own: Ctrl-C reaches us, and we end it."""
    command = [sys.executable, "-m", "siphon.leash", *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0)


def _follow(stdin: int) -> None:
    while os.read(stdin, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ENDING_SECONDS)
    os._exit(1)


def main() -> None:
    threading.Thread(target=_follow, args=(sys.stdin.fileno(),), daemon=True).start()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
