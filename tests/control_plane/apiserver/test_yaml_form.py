"""Long documents in YAML: read and written as short ones are, and nobody waits for them."""

import asyncio
import threading

import yaml

from control_plane.apiserver.http.yaml_form import IN_PLACE_BYTES, read_beside
from tests.support.raw_api import RawApi

YAML = "application/yaml"
DATA = {f"key-{number}": f"value {number}" for number in range(1000)}


async def test_what_is_long_is_read_beside_the_event_loop() -> None:
    goes_on = threading.Event()

    def read(body: bytes) -> int:
        assert goes_on.wait(60)
        return len(body)

    reading = asyncio.create_task(read_beside(b" " * (IN_PLACE_BYTES + 1), read))
    await asyncio.sleep(0)
    assert not reading.done()
    goes_on.set()
    assert await reading == IN_PLACE_BYTES + 1


def test_a_long_document_is_written_and_read(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    body = yaml.safe_dump({"metadata": {"name": "long"}, "data": DATA}).encode()
    assert len(body) > IN_PLACE_BYTES
    made = api.request("POST", path, body, {"Content-Type": YAML, "Accept": YAML})
    assert made.code == 201, made.text
    assert yaml.safe_load(made.text)["data"] == DATA
    assert yaml.safe_load(api.get(path, YAML).text)["items"][0]["data"] == DATA
    assert yaml.safe_load(api.get("/apis", YAML).text)["kind"] == "APIGroupList"
    wrong = api.request("PUT", f"{path}/long", body + b"  : :\n- x", {"Content-Type": YAML})
    assert (wrong.code, wrong.reason) == (400, "BadRequest")


def test_a_long_configuration_is_applied(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps/applied?fieldManager=m"
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}}
    body = yaml.safe_dump({**applied, "data": DATA}).encode()
    headers = {"Content-Type": "application/apply-patch+yaml"}
    assert api.request("PATCH", path, body, headers).json["data"] == DATA
    repeated = body + b"kind: ConfigMap\n"
    strict = api.request("PATCH", f"{path}&fieldValidation=Strict", repeated, headers)
    assert 'key "kind" already set in map' in strict.message
