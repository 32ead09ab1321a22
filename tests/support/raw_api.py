"""HTTP to an API server without a Kubernetes client in between, to see exactly what it answers."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

import requests

from control_plane.pki.authority import KeyPair

Object = dict[str, Any]
SECONDS = 60


class Answer(NamedTuple):
    """An answer: its status code, headers, text, and the bytes that this is read from."""

    code: int
    headers: Any
    text: str
    content: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def reason(self) -> str:
        """The reason of a Status."""
        return str(self.json.get("reason", ""))

    @property
    def message(self) -> str:
        """The message of a Status."""
        return str(self.json.get("message", ""))


class RawApi:
    """One client; `pair` is its certificate, `token` a bearer token, neither is anonymous."""

    def __init__(self, url: str, ca: Path, pair: KeyPair | None = None, token: str = "") -> None:
        self._url = url
        self._session = requests.Session()
        self._session.verify = str(ca)
        self._session.trust_env = False
        if pair is not None:
            self._session.cert = (str(pair.certificate), str(pair.key))
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request; a body that is not bytes goes as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        response = self._session.request(
            method, self._url + path, data=data, headers=sent, timeout=SECONDS,
            allow_redirects=False,
        )  # fmt: skip
        return Answer(response.status_code, response.headers, response.text, response.content)

    def get(self, path: str, accept: str = "application/json") -> Answer:
        return self.request("GET", path, headers={"Accept": accept})

    def post(self, path: str, body: Any) -> Answer:
        return self.request("POST", path, body)

    def put(self, path: str, body: Any) -> Answer:
        return self.request("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> Answer:
        return self.request("DELETE", path, body)

    def patch(self, path: str, body: Any, kind: str = "merge") -> Answer:
        """PATCH with a kind of "merge", "strategic" or "json"."""
        types = {"merge": "merge-patch", "strategic": "strategic-merge-patch", "json": "json-patch"}
        headers = {"Content-Type": f"application/{types[kind]}+json"}
        return self.request("PATCH", path, body, headers)

    def apply(self, path: str, body: Any, manager: str = "m1", query: str = "") -> Answer:
        """Server-side apply; `query` is what follows the field manager, such as "&force=true"."""
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return self.request("PATCH", f"{path}?fieldManager={manager}{query}", body, headers)

    def watch(self, path: str, accept: str = "application/json") -> Generator[Object]:
        """Yield a watch's events until it ends; close the generator to leave earlier.

        The request is sent when the first event is asked for.
        """
        with self.open_watch(path, accept) as events:
            yield from events

    @contextmanager
    def open_watch(self, path: str, accept: str = "application/json") -> Iterator[Iterator[Object]]:
        """Start a watch at once; its events come one by one."""
        response = self._session.get(
            self._url + path, headers={"Accept": accept}, stream=True, timeout=SECONDS
        )
        try:
            if response.status_code != 200:
                raise AssertionError(f"{path}: {response.status_code} {response.text}")
            yield (json.loads(line) for line in response.iter_lines(chunk_size=1))
        finally:
            response.close()
