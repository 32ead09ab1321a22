"""What custom resource definitions cost: memory, the start, and how soon they are published.

Each has a schema of some 10 KB, as an operator's. A definition is published when discovery, OpenAPI
v3 and OpenAPI v2 show it; times count from the answer to its creation, and each look is a
connection of its own.
"""

import json
import time
from statistics import median
from typing import Any

from tests.bench.api.measure import Say, staged
from tests.bench.api.servers import HttpsServer
from tests.bench.processes import rss_mib

COUNT, TIMED = 500, 10
SETTLE_SECONDS = 5.0
LONGEST_SECONDS = 30.0
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DOCUMENTS = ("discovery", "v3", "v2")


def measure(runs: int, seconds: float, say: Say) -> dict[str, Any]:
    """Return all figures by name."""
    del runs, seconds
    with staged("definitions") as stage:
        server = stage.api_server()
        figures: dict[str, Any] = {"start_empty_s": server.start()}
        try:
            figures["rss_empty_mib"] = _settled(server)
            for path in ("/apis", "/openapi/v3", "/openapi/v2"):
                server.read(path)
            figures["rss_empty_read_mib"] = _settled(server)
            for number in range(COUNT - TIMED):
                server.post(DEFINITIONS, definition(number))
            figures["rss_made_mib"] = _settled(server)
            timed = [_published(server, number) for number in range(COUNT - TIMED, COUNT)]
            figures["published_s"] = {
                name: median(one[name] for one in timed) for name in DOCUMENTS
            }
            figures["rss_read_mib"] = _settled(server)
            server.end()
            figures["start_s"] = server.start()
            figures["rss_restarted_mib"] = _settled(server)
        finally:
            server.end()
    figures["kib_each"] = len(definition(0)) / 1024
    say(json.dumps(figures))
    return figures


def definition(number: int) -> bytes:
    """The definition of a kind in a group of its own."""
    group, plural = f"g{number}.example.com", f"things{number}"
    field = {"type": "string", "description": "What this part of the thing is to be. " * 2}
    part = {"type": "object", "properties": {f"field{at}": field for at in range(9)}}
    parts = {f"part{at}": part for at in range(9)}
    spec = {"type": "object", "properties": parts}
    schema = {"type": "object", "properties": {"spec": spec, "status": part}}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    names = {"plural": plural, "kind": f"Thing{number}"}
    return json.dumps({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group, "scope": "Namespaced", "names": names,
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }).encode()  # fmt: skip


def _published(server: HttpsServer, number: int) -> dict[str, float]:
    """The seconds until each document shows a definition."""
    server.post(DEFINITIONS, definition(number))
    began = time.monotonic()
    group, plural = f"g{number}.example.com", f"things{number}"
    looks = {
        "discovery": (f"/apis/{group}/v1", plural),
        "v3": (f"/openapi/v3/apis/{group}/v1", plural),
        "v2": ("/openapi/v2", f"/{plural}/"),
    }
    return {name: _shown(server, *looks[name], began) for name in DOCUMENTS}


def _shown(server: HttpsServer, path: str, word: str, began: float) -> float:
    while time.monotonic() - began < LONGEST_SECONDS:
        try:
            if word.encode() in server.read(path):
                return time.monotonic() - began
        except OSError:  # 404: not yet
            continue
    raise RuntimeError(f"{path} does not show {word}")


def _settled(server: HttpsServer) -> float:
    time.sleep(SETTLE_SECONDS)
    return rss_mib(server.pid)
