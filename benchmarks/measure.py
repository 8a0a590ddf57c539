"""Measuring whole commands: CPU seconds of a process and all it waited for, and the largest of them."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    cpu: float  # seconds, user and system, of the whole process tree
    wall: float  # seconds
    memory: int  # bytes: the largest process of the tree
    output: str


def command(words: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cost:
    """Run a command to its end; raises CalledProcessError if it fails."""
    start = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=env, cwd=cwd) as process:
        assert process.stdout is not None
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(words), output)
    wall = time.perf_counter() - start
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, output)


def siphon(*words: str, config: Path) -> Cost:
    return command([sys.executable, "-m", "siphon", "--config", str(config), *words])
