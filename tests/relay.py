"""A line to a port, that breaks or goes dead after so many bytes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf


@contextmanager
def relay(port: int, *, cut_after: float = inf, dead_after: float = inf) -> Iterator[int]:
    """Its own port.

    It breaks once `cut_after` bytes came back over it; after `dead_after` bytes there no more pass.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def pump(source: socket.socket, target: socket.socket, left: float, dead: bool) -> None:
        try:
            while left > 0 and (data := source.recv(65536)):
                target.sendall(data[: int(min(left, len(data)))])
                left -= len(data)
        except OSError:
            pass  # the other half has cut the line
        if dead and left <= 0:
            over.wait()
        for end in (source, target):
            with suppress(OSError):  # close alone leaves the line up while the other half waits on it
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            for work in ((client, server, dead_after, True), (server, client, cut_after, False)):
                threading.Thread(target=pump, args=work, daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
