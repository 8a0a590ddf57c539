"""The ways to a host, one entry each; what takes long to import is imported when first asked for."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from siphon.reach import Asked, Reached
from siphon.source import later


class Transport(NamedTuple):
    """A way. `reach` raises SiphonError where it leads nowhere: an error of the configured host."""

    reach: Callable[[Asked], Reached]
    apart: bool = True  # collected in a process of its own, as a network may delay it


# By HostConfig.transport.
TRANSPORTS: Mapping[str, Transport] = {
    "home": Transport(later("siphon.here", "reach"), apart=False),
    "ssh": Transport(later("siphon.remote", "reach_by_ssh")),
    "command": Transport(later("siphon.here", "reach_by_command")),
    "bucket": Transport(later("siphon.machines", "reach_bucket")),
    "inbox": Transport(later("siphon.machines", "reach_inbox"), apart=False),
}
