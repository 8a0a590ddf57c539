"""The ways to a host, one entry each; what takes long to import is imported when first asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple, cast

from siphon.reach import Asked, Reached


class Transport(NamedTuple):
    """A way: a function of a module."""

    module: str
    function: str
    apart: bool = True  # collected in a process of its own, as a network may delay it

    def reach(self, asked: Asked) -> Reached:
        """Go there. Raises SiphonError where it leads nowhere: an error of the configured host."""
        go = cast(Callable[[Asked], Reached], getattr(import_module(self.module), self.function))
        return go(asked)


# By HostConfig.transport.
TRANSPORTS: Mapping[str, Transport] = {
    "home": Transport("siphon.here", "reach", apart=False),
    "ssh": Transport("siphon.remote", "reach_by_ssh"),
    "command": Transport("siphon.here", "reach_by_command"),
    "bucket": Transport("siphon.machines", "reach_bucket"),
    "inbox": Transport("siphon.machines", "reach_inbox", apart=False),
}
