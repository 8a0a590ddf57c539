"""Ports for servers that cannot choose one themselves."""

import os
import socket
from itertools import count

# Below what a system gives to outgoing connections (32768 and up): none of them takes a port between its
# choice and its use. Each process of tests begins elsewhere, so that they do not meet either.
_FIRST, _MANY = 10_000, 20_000
_places = count(os.getpid() * 4099)


def free_port() -> int:
    """A port of the loopback address that nothing listens on, and that is not chosen again."""
    for place in _places:
        port = _FIRST + place % _MANY
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # taken
        return port
    raise AssertionError("unreachable: places do not end")
