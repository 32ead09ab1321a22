"""A real operator: kopf with handlers, a finalizer, status patches and a webhook, killed twice."""

import datetime
import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.custom_stage import (
    ANYTHING,
    Custom,
    Object,
    definition,
    established,
    version,
)
from tests.control_plane.apiserver.webhook_stage import VALIDATING
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

PROGRAM = Path(__file__).with_name("kopf_operator.py")
PROGRESS = "kopf.zalando.org/create"
SCHEMA: Object = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {"size": {"type": "integer"}, "waits": {"type": "boolean"}},
        },
        "status": ANYTHING,
    },
}


class Operator:
    """The operator's process, which may be killed and started again."""

    def __init__(self, server: ThreadedApiServer, widgets: Custom, directory: Path) -> None:
        self._api, self._group = widgets.api, widgets.group
        config = {"group": widgets.group, "directory": str(directory)}
        self._env = {
            **os.environ,
            "KUBECONFIG": str(server.kubeconfig),
            "WIDGETS": json.dumps(config),
        }
        self._log = directory / "log"
        self._command = [
            sys.executable, "-m", "kopf", "run", "--standalone", "--verbose",
            f"--namespace={widgets.namespace}", str(PROGRAM),
        ]  # fmt: skip

    @property
    def log(self) -> str:
        return self._log.read_text()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it until the end of the block, and kill it without a warning."""
        self._api.delete(f"{VALIDATING}/{self._group}")  # which a killed one has left
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._command, env=self._env, stdout=log, stderr=log)
        try:
            wait_until(
                lambda: process.poll() is not None or self._has_webhook(), "the operator's webhook"
            )
            assert process.poll() is None, self.log
            yield
        finally:
            process.kill()
            process.wait()

    def _has_webhook(self) -> bool:
        found = self._api.get(f"{VALIDATING}/{self._group}")
        return found.code == 200 and bool(found.json.get("webhooks"))


@pytest.fixture
def widgets(api: RawApi, namespace: str) -> Iterator[Custom]:
    wanted = definition(version(schema=SCHEMA, subresources={"status": {}}), plural="widgets")
    with established(api, namespace, wanted) as custom:
        yield custom
        api.delete(f"{VALIDATING}/{custom.group}")


@pytest.fixture
def operator(server: ThreadedApiServer, widgets: Custom, tmp_path: Path) -> Operator:
    now = datetime.datetime.now(datetime.UTC)
    authority, own = (
        KeyPair(tmp_path / f"{name}.crt", tmp_path / f"{name}.key") for name in ("ca", "own")
    )
    identity = Identity("webhook", addresses=(ipaddress.ip_address("127.0.0.1"),))
    Authority.open(authority, now).ensure(own, identity, now)
    return Operator(server, widgets, tmp_path)


def test_a_kopf_operator_lives_with_its_custom_resource(
    operator: Operator, widgets: Custom, api: RawApi, tmp_path: Path
) -> None:
    def seen(name: str) -> Any:
        return api.get(widgets.path(name)).json

    def size_told(name: str) -> Any:
        return (seen(name).get("status") or {}).get("size")

    with operator.running():
        refused = api.post(widgets.path(), widgets.obj("odd", spec={"size": -1}))
        assert (refused.code, "size must not be negative" in refused.message) == (422, True)
        large = api.post(widgets.path(), widgets.obj("a", spec={"size": 101}))
        assert (large.code, "that is a large widget" in large.headers["Warning"]) == (201, True)
        wait_until(lambda: size_told("a") == 101, "the status of a new widget")
        (finalizer,) = seen("a")["metadata"]["finalizers"]
        assert finalizer.startswith("kopf.zalando.org/")
        assert api.patch(widgets.path("a"), {"spec": {"size": 7}}).code == 200
        wait_until(lambda: size_told("a") == 7, "the status of a changed widget")
        waiting = widgets.obj("b", spec={"size": 3, "waits": True})
        assert api.post(widgets.path(), waiting).code == 201
        wait_until(lambda: PROGRESS in seen("b")["metadata"].get("annotations", {}), "a retry")
    assert api.delete(widgets.path("a")).code == 200
    assert seen("a")["metadata"]["deletionTimestamp"], "its finalizer holds it"
    (tmp_path / "go").touch()
    with operator.running():
        wait_until(lambda: size_told("b") == 3, "the status of a widget begun before")
        assert seen("b")["status"]["create"]["retries"] >= 1
        wait_until(lambda: api.get(widgets.path("a")).code == 404, "the deleted widget")
        assert api.delete(widgets.path("b")).code == 200
        wait_until(lambda: api.get(widgets.path("b")).code == 404, "the other widget")
    assert (tmp_path / "deleted").read_text().splitlines() == ["a", "b"]
