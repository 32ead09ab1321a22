"""A TCP proxy whose network can be cut, slowed and mended: what lies between a server and its
database.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Self

CHUNK = 65_536
CONNECT_SECONDS = 5.0


class TcpProxy:
    """Forwards connections to 127.0.0.1:`target` from a port of its own.

    `hold` lets nothing through any more without closing a thing, as a cable that was pulled;
    `reset` closes what is open and takes nobody; `slow` delays every piece by some seconds, either
    way; `mend` ends all of these.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._delay = 0.0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Let nothing through."""
        self._flows.clear()

    def reset(self) -> None:
        """Close every connection, and each new one at once."""
        self._refuses = True
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _close(connection)

    def slow(self, seconds: float) -> None:
        """Delay every piece of data."""
        self._delay = seconds

    def mend(self) -> None:
        """Let everything through again."""
        self._refuses, self._delay = False, 0.0
        self._flows.set()

    def stop(self) -> None:
        """End it."""
        _close(self._listener)
        self.reset()
        self._flows.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        self._flows.wait()
        if self._refuses:
            _close(near)
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._target), CONNECT_SECONDS)
        except OSError:
            _close(near)
            return
        far.settimeout(None)
        with self._lock:
            self._open |= {near, far}
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                time.sleep(self._delay)
                self._flows.wait()
                sink.sendall(data)
        _close(source)
        _close(sink)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
