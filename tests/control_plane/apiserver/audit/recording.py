"""What audit events arrive in: the log of a server, and a receiver of its webhook's."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

Event = dict[str, Any]


class Receiver:
    """A server that takes EventLists; the first answer is a 503."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.refused = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                code = 200 if receiver.refused else 503
                receiver.refused += code == 503
                if code == 200:
                    receiver.events += json.loads(body)["items"]
                self.send_response(code)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def kubeconfig(url: str) -> str:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": url}}],
        "users": [{"name": "a", "user": {}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    }
    return yaml.safe_dump(document)


class Log:
    """The events of the file, by the ids of requests."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def text(self) -> str:
        return self._path.read_text()

    def of(self, audit_id: str, stages: int = 2) -> list[Event]:
        """The events of one request, once there are as many."""
        found: list[Event] = []

        def has_all() -> bool:
            lines = [line for line in self.text().splitlines() if audit_id in line]
            found[:] = map(json.loads, lines)
            return len(found) >= stages

        wait_until(has_all, f"{stages} events of {audit_id}")
        return found


def counted(api: RawApi, name: str) -> float:
    """The value of a metric without labels."""
    lines = api.get("/metrics", accept="*/*").text.splitlines()
    (value,) = (line.split()[-1] for line in lines if line.startswith(f"{name} "))
    return float(value)
