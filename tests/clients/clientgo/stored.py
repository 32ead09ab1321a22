"""What we store, read by Kubernetes' own types: `make client-go` runs it after the clients.

An object of every kind is made through the API; its stored JSON is decoded in Go, which refuses
fields that it does not know, and encoded as protobuf, which must be ours. Exit code 0 when all are.
"""

import asyncio
import base64
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson

from control_plane.api.resources import RESOURCES
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.etcd.model import prefix_end
from control_plane.apiserver.protobuf import envelope
from tests.control_plane.apiserver.minimal_objects import minimal_object, unused_name
from tests.support.apiserver import ThreadedApiServer
from tests.support.go_program import REPOSITORY, go_program
from tests.support.raw_api import RawApi
from tests.support.running_stores import STORES

PROGRAM = REPOSITORY / "tests" / "control_plane" / "apiserver" / "protobuf" / "record"
ROOT = b"/registry/"
NAMESPACE = "stored"


def main() -> int:
    """Say which stored values Kubernetes reads otherwise than we, on every store."""
    program = go_program(PROGRAM)
    return max([_run(program, name) for name in STORES])


def _run(program: Path, name: str) -> int:
    with tempfile.TemporaryDirectory() as directory, STORES[name]() as store:
        with ThreadedApiServer(store.endpoint, Path(directory)) as server:
            _make_all(server)
        found = asyncio.run(_values(store.endpoint))
    told = subprocess.run(
        [str(program), "read"], input=b"\n".join(found.values()) + b"\n", stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode().splitlines()  # fmt: skip
    wrong = [
        f"{key.decode()}: {line[:200]}"
        for (key, value), line in zip(found.items(), told, strict=True)
        if line.startswith("error:") or not _is_ours(line, orjson.loads(value))
    ]
    said = [*wrong, f"{name}: {len(found)} stored objects"]
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 1 if wrong else 0


def _is_ours(line: str, obj: dict[str, Any]) -> bool:
    """Whether a line is what we write; versions that are stored and not served have no message."""
    if not envelope.has_message(obj["apiVersion"], obj["kind"]):
        return True
    return base64.b64decode(line) == envelope.encode(obj)


def _make_all(server: ThreadedApiServer) -> None:
    admin = server.pki.pair("admin")
    with RawApi(server.url, server.pki.pair("ca").certificate, admin) as api:
        assert api.post("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}).code == 201
        accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
        assert api.post(accounts, {"metadata": {"name": "default"}}).code == 201
        for row in RESOURCES:
            if row.is_stored:
                obj = minimal_object(row, unused_name(row), NAMESPACE)
                made = api.post(row.path(NAMESPACE), obj)
                assert made.code == 201, made.text


async def _values(endpoint: str) -> dict[bytes, bytes]:
    client = EtcdClient(EtcdEndpoints((endpoint,)))
    try:
        page = await client.range(ROOT, prefix_end(ROOT))
    finally:
        await client.close()
    return {kv.key: kv.value for kv in page.kvs}


if __name__ == "__main__":
    sys.exit(main())
