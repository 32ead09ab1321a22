"""kubectl understands the discovery, OpenAPI and Table documents as they are built here."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from control_plane.api import discovery
from control_plane.api.openapi.documents import OpenApiDocuments
from control_plane.api.resources import BUILT_IN, PODS
from control_plane.api.tables import view_for
from control_plane.api.tables.build import table

KUBECTL = Path(sys.executable).with_name("kubectl")
DOCUMENTS = OpenApiDocuments(BUILT_IN, "v1.35.0")
POD = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"containers": [{"name": "a"}], "nodeName": "n1"},
    "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]},
}

Kubectl = Callable[..., str]


def document(path: str, aggregated: bool) -> bytes | None:
    """Return what an API server answers to a GET."""
    if path.startswith("/openapi/v3"):
        name = path.removeprefix("/openapi/v3").removeprefix("/")
        found = DOCUMENTS.v3(name) if name else DOCUMENTS.v3_index()
        return found.body if found else None
    if path == "/api/v1/namespaces/default/pods":
        return json.dumps(table(view_for(PODS), [POD], datetime.now(UTC))).encode()
    built = {
        ("/api", True): lambda: discovery.aggregated_core(BUILT_IN),
        ("/apis", True): lambda: discovery.aggregated_groups(BUILT_IN),
        ("/api", False): lambda: discovery.core_versions("127.0.0.1:1"),
        ("/apis", False): lambda: discovery.group_list(BUILT_IN),
    }.get((path, aggregated))
    _, root, *group_version = path.split("/")
    if built is None:
        group = "" if root == "api" else group_version[0]
        listed = discovery.resource_list(BUILT_IN, group, group_version[-1])
        return json.dumps(listed).encode() if listed else None
    return json.dumps(built()).encode()


@pytest.fixture(params=["aggregated", "legacy"])
def kubectl(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kubectl]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            wanted = "as=APIGroupDiscoveryList" in self.headers.get("Accept", "")
            is_aggregated = wanted and request.param == "aggregated" and path in ("/api", "/apis")
            body = document(path, is_aggregated)
            self.send_response(404 if body is None else 200)
            media_type = discovery.AGGREGATED_MEDIA_TYPE if is_aggregated else "application/json"
            self.send_header("Content-Type", media_type)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def run(*arguments: str) -> str:
        address = f"--server=http://127.0.0.1:{server.server_port}"
        done = subprocess.run(
            [KUBECTL, address, *arguments],
            capture_output=True, text=True, check=False, timeout=60, env={"HOME": str(tmp_path)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    server.shutdown()
    thread.join()
    server.server_close()


def test_kubectl_lists_explains_and_gets(kubectl: Kubectl) -> None:
    listed = kubectl("api-resources", "-o", "wide", "--no-headers").splitlines()
    assert len(listed) == len({(row.group, row.plural) for row in BUILT_IN.rows})
    assert "deployments deploy apps/v1 true Deployment" in [" ".join(x.split()[:5]) for x in listed]

    explained = kubectl("explain", "deploy.spec.template.spec.containers.resources.limits")
    assert "FIELD: limits <map[string]Quantity>" in explained
    assert "-required-" in kubectl("explain", "po.spec.containers.ports")
    assert "targetPort\t<IntOrString>" in kubectl("explain", "svc.spec.ports")

    wide = kubectl("get", "po", "-o", "wide").splitlines()
    assert wide[0].split() == [
        "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED", "NODE",
        "READINESS", "GATES",
    ]  # fmt: skip
    assert wide[1].split() == [
        "web", "0/1", "Running", "0", "<unknown>", "10.0.0.1", "n1", "<none>", "<none>",
    ]  # fmt: skip
