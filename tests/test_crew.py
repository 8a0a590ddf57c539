"""Work side by side in processes of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from siphon.crew import in_processes


def double(job: int, say: Callable[[str], None]) -> tuple[int, int]:
    say(f"doubling {job}")
    return job * 2, os.getpid()


def die_at_three(job: int, _: Callable[[str], None]) -> int:
    if job == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return job


def write_pid_and_wait(job: Path, say: Callable[[str], None]) -> None:
    job.write_text(str(os.getpid()))
    while True:
        say("still here")
        time.sleep(0.02)


def test_each_job_has_a_process_and_results_come_in_order() -> None:
    said: list[str] = []
    results = in_processes(double, range(40), said.append)
    assert [result and result[0] for result in results] == [2 * job for job in range(40)]
    assert len({result and result[1] for result in results}) == 40
    assert sorted(said) == sorted(f"doubling {job}" for job in range(40))


def test_a_process_that_dies_leaves_the_others_be() -> None:
    assert in_processes(die_at_three, range(6), print) == [0, 1, 2, None, 4, 5]


def test_no_jobs_no_processes() -> None:
    assert in_processes(double, [], print) == []


OWNER = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from siphon.crew import in_processes
from test_crew import write_pid_and_wait
in_processes(write_pid_and_wait, [Path(path) for path in sys.argv[3:]], lambda word: None)
"""


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # gone, or gone while it was read
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_when_the_owner_is_killed_all_end(tmp_path: Path) -> None:
    tests = Path(__file__).parent
    files = [tmp_path / "one", tmp_path / "two"]
    command = [sys.executable, "-c", OWNER, str(tests.parent), str(tests), *map(str, files)]
    with subprocess.Popen(command) as owner:
        while not all(file.exists() and file.read_text() for file in files):
            assert owner.poll() is None
            time.sleep(0.01)
        owner.kill()
    pids = [int(file.read_text()) for file in files]
    end = time.monotonic() + 60
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end, "orphans work on"
        time.sleep(0.01)
