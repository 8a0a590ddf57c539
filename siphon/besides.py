"""What a collect asks a host besides its logs: git remotes, what came of sessions, settings of tools.

None of it stops a collect: what cannot be had is a problem, told with the others.
"""

from collections.abc import Sequence
from subprocess import TimeoutExpired

from siphon import outcomes, retention
from siphon.errors import SiphonError
from siphon.hosts import Host
from siphon.jobs import Job, sources_of
from siphon.pull import Pull
from siphon.repos import normalise

_DAY = 24 * 3600 * 1000  # ms: a folder's remote is not asked for more often
_FOLDERS = 500  # asked about in one run; the others have their turn in the next


def besides(job: Job, name: str, host: Host, pull: Pull) -> list[str]:
    """Ask it all, once the logs of this host have come; what could not be had."""
    return [
        *_ask_git(job, name, host, pull.folders.found()),
        *_look_at_commits(job, name, host),
        *_look_at_settings(job, name, host, pull),
    ]


def _ask_git(job: Job, name: str, host: Host, folders: Sequence[str]) -> list[str]:
    """Ask for the remotes of folders that logs name; each once, and again after a day if it comes up."""
    at = job.now()
    asked = job.archive.asked_repos(name)
    due = [folder for folder in folders if (last := asked.get(folder)) is None or last < at - _DAY]
    waiting = [folder for folder, when in asked.items() if when is None]
    turn = sorted({*due, *waiting})
    job.archive.add_repos(name, dict.fromkeys(set(turn[_FOLDERS:]) - asked.keys()), None)
    if not turn:
        return []
    try:
        urls = host.remotes(turn[:_FOLDERS])
    except (SiphonError, OSError, TimeoutExpired) as error:
        return [f"git remotes: {error}"]
    job.archive.add_repos(name, {folder: url and normalise(url) for folder, url in urls.items()}, at)
    return []


def _look_at_commits(job: Job, name: str, host: Host) -> list[str]:
    """What came of the sessions in git, where the configuration asks for it."""
    if not job.host.git:
        return []
    try:
        outcomes.look(job.archive, host, name, job.now())
    except (SiphonError, OSError, TimeoutExpired) as error:
        return [f"git commits: {error}"]
    return []


def _look_at_settings(job: Job, name: str, host: Host, pull: Pull) -> list[str]:
    """How long the tools there keep their logs."""
    chosen = sources_of(job.config, job.host)
    try:
        return retention.look(job.archive, host, name, pull.listing.found, chosen, job.now())
    except (SiphonError, OSError, TimeoutExpired) as error:
        return [f"settings: {error}"]
