"""Huge pages are asked for where that has an effect, and nothing breaks where it has none."""

import subprocess
import sys
from pathlib import Path
from platform import libc_ver

import pytest

from conftest import CHECKOUT

SYSTEM = Path("/sys/kernel/mm/transparent_hugepage/enabled")
# In a process of its own; what it prints: the flags of its heap.
ASK = """
import sqlite3
from pathlib import Path
from siphon.hugepages import asked

def flags():
    heap = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        heap = line.endswith("[heap]") if "-" in line.split()[0] else heap
        if heap and line.startswith("VmFlags"):
            print(line)

with asked():
    database = sqlite3.connect(":memory:")
    database.execute("create table t as select randomblob(1000) from json_each('[1,2,3]')")
    flags()
print(database.execute("select sum(length(hex(randomblob(1000)))) from t").fetchone()[0])
"""


@pytest.mark.skipif(not SYSTEM.exists(), reason="this system has no huge pages that one could ask for")
def test_the_heap_is_marked_for_huge_pages_where_they_are_given_to_those_who_ask() -> None:
    done = subprocess.run([sys.executable, "-c", ASK], cwd=CHECKOUT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    *flags, works = done.stdout.splitlines()
    assert works == "6000"
    marked = any("hg" in line.split() for line in flags)
    assert marked == ("[madvise]" in SYSTEM.read_text() and libc_ver()[0] == "glibc")
