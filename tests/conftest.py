"""What all tests share: the real logs beside the checkout, and accepting goldens."""

import gc
import os
import shutil
import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples each time, however slow the machine; `make soak` looks for others.
settings.register_profile(
    "here",
    derandomize="SIPHON_SOAK" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("here")

CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="write goldens from what was read")


def pytest_configure(config: pytest.Config) -> None:
    """Temporary folders in memory where there is room: thousands of small collects wait for disks."""
    memory = Path("/dev/shm")
    worker = hasattr(config, "workerinput")
    if worker or config.option.basetemp or not os.access(memory, os.W_OK):
        return
    if shutil.disk_usage(memory).free > 2 << 30:
        folder = Path(tempfile.mkdtemp(prefix="siphon-tests-", dir=memory))
        config.option.basetemp = str(folder / "tests")
        os.environ["TMPDIR"] = str(folder)  # for what siphon, browsers and packers make
        tempfile.tempdir = None
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


_done = count(1)


def pytest_runtest_teardown() -> None:
    """Close what hangs in cycles now and then: thousands of archives would run out of descriptors."""
    if next(_done) % 20 == 0:
        gc.collect()


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--accept"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real logs, beside the checkout."""
    folder = CHECKOUT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("real logs (../shared) are not on this machine; the hand-written cases ran")
    return folder
