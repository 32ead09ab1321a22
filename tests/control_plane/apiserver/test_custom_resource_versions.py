"""Custom resources in several versions, made of one another by nobody or by a webhook.

Conformance: "CustomResourceConversionWebhook ... should be able to convert from CR v1 to CR v2",
"... should be able to convert a non homogeneous list of CRs", "CustomResourceFieldSelectors MUST
list and watch custom resources matching the field selector".
"""

import base64
import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.custom_stage import (
    DEFINITIONS,
    Custom,
    Object,
    definition,
    established,
    version,
)
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

OLD: Object = {"type": "object", "properties": {"hostPort": {"type": "string"}}}
NEW: Object = {
    "type": "object",
    "properties": {"host": {"type": "string"}, "port": {"type": "string"}},
}


class Peer(NamedTuple):
    """A webhook server: `answer` makes the response of a request, and may be changed."""

    client_config: Object
    answer: list[Callable[[Object], Object]]
    asked: list[Object]


def convert(request: Object) -> Object:
    """Split and join host and port, as the conformance tests' webhook does."""
    made = []
    for obj in request["objects"]:
        obj = {**obj, "apiVersion": request["desiredAPIVersion"]}
        if "hostPort" in obj:
            obj["host"], _, obj["port"] = obj.pop("hostPort").partition(":")
        elif "host" in obj:
            obj["hostPort"] = f"{obj.pop('host')}:{obj.pop('port')}"
        made.append(obj)
    return {"result": {"status": "Success"}, "convertedObjects": made}


def always(response: Object) -> Callable[[Object], Object]:
    return lambda _request: response


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    directory = tmp_path_factory.mktemp("webhook")
    now = datetime.datetime.now(datetime.UTC)
    authority = KeyPair(directory / "ca.crt", directory / "ca.key")
    pair = KeyPair(directory / "own.crt", directory / "own.key")
    identity = Identity("webhook", addresses=(ipaddress.ip_address("127.0.0.1"),))
    Authority.open(authority, now).ensure(pair, identity, now)
    answers: list[Callable[[Object], Object]] = [convert]
    asked: list[Object] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(review)
            response = {"uid": review["request"]["uid"], **answers[0](review["request"])}
            body = json.dumps(
                {"kind": "ConversionReview", "apiVersion": review["apiVersion"],
                 "response": response}
            ).encode()  # fmt: skip
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    bundle = base64.b64encode(authority.certificate.read_bytes()).decode()
    config = {"url": f"https://127.0.0.1:{server.server_port}/convert", "caBundle": bundle}
    yield Peer(config, answers, asked)
    server.shutdown()
    server.server_close()


@pytest.fixture
def hosts(api: RawApi, namespace: str, peer: Peer) -> Iterator[Custom]:
    conversion = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": peer.client_config, "conversionReviewVersions": ["v1"]},
    }
    versions = [
        version("v1", OLD, selectableFields=[{"jsonPath": ".hostPort"}]),
        version(
            "v2", NEW, storage=False,
            selectableFields=[{"jsonPath": ".host"}, {"jsonPath": ".port"}],
        ),
    ]  # fmt: skip
    wanted = definition(*versions, plural="hosts", conversion=conversion)
    with established(api, namespace, wanted) as custom:
        yield custom
        peer.answer[0] = convert


def test_without_a_webhook_only_the_version_changes(api: RawApi, namespace: str) -> None:
    text = {"type": "string"}
    first = {"type": "object", "properties": {"a": text}}
    later = {"type": "object", "properties": {"a": text, "b": {**text, "default": "x"}}}
    wanted = definition(version("v1", first), version("v2", later, storage=False))
    with established(api, namespace, wanted) as foos:
        assert api.post(foos.path(), foos.obj("a", a="1")).code == 201
        seen = api.get(foos.path("a", "v2")).json
        assert (seen["apiVersion"], seen["a"], seen["b"]) == (f"{foos.group}/v2", "1", "x")
        moved = foos.definition()
        for one in moved["spec"]["versions"]:
            one["storage"] = not one["storage"]
        moved = api.put(f"{DEFINITIONS}/{foos.name}", moved).json
        assert moved["status"]["storedVersions"] == ["v1", "v2"]
        before = api.get(foos.path("a", "v2")).json
        after = api.put(foos.path("a", "v2"), before).json  # which stores it anew
        versions = [one["metadata"]["resourceVersion"] for one in (before, after)]
        assert versions[0] != versions[1]
        assert api.get(foos.path("a")).json["a"] == "1"


def test_a_webhook_converts_objects_and_mixed_lists(hosts: Custom, api: RawApi, peer: Peer) -> None:
    assert api.post(hosts.path(), hosts.obj("a", hostPort="host1:80")).code == 201
    made = api.post(hosts.path(version="v2"), hosts.obj("b", "v2", host="host2", port="90"))
    assert made.code == 201, made.text
    assert (made.json["host"], made.json["port"]) == ("host2", "90")
    assert api.get(hosts.path("a", "v2")).json["host"] == "host1"
    assert api.get(hosts.path("b")).json["hostPort"] == "host2:90"
    listed = api.get(hosts.path(version="v2")).json["items"]
    assert [item["host"] for item in listed] == ["host1", "host2"]
    assert peer.asked[-1]["request"]["desiredAPIVersion"].startswith(hosts.group)


def test_fields_are_selected_in_the_version_of_the_request(hosts: Custom, api: RawApi) -> None:
    for number in (1, 2):
        api.post(hosts.path(), hosts.obj(f"h{number}", hostPort=f"host{number}:80"))
    for query, at in (("host=host1,port=80", "v2"), ("hostPort=host1:80", "v1")):
        found = api.get(f"{hosts.path(version=at)}?fieldSelector={query}").json["items"]
        assert [item["metadata"]["name"] for item in found] == ["h1"]
    query = "watch=1&fieldSelector=host=host2&timeoutSeconds=3&resourceVersion=0"
    lines = api.get(f"{hosts.path(version='v2')}?{query}").text.splitlines()
    assert [json.loads(line)["object"]["host"] for line in lines] == ["host2"]


def test_bad_answers_are_refused(hosts: Custom, api: RawApi, peer: Peer) -> None:
    assert api.post(hosts.path(), hosts.obj("a", hostPort="h:1")).code == 201
    shown = f"conversion webhook for {hosts.group}/v1, Kind=Host"
    renamed = {"apiVersion": f"{hosts.group}/v2", "kind": "Host", "metadata": {"name": "z"}}
    success = {"status": "Success"}
    for response, text in (
        ({"result": {"status": "Failed", "message": "no"}}, "failed: no"),
        ({"result": {"status": "Odd"}}, "failed: response.result.status was 'Odd', not 'Success'"),
        ({"result": success, "convertedObjects": []}, "returned 0 objects, expected 1"),
        ({"result": success, "convertedObjects": [renamed]}, "must have the same name: a != z"),
        ({"uid": "x", "result": success}, 'failed: expected response.uid="'),
    ):
        peer.answer[0] = always(response)
        refused = api.get(hosts.path("a", "v2"))
        assert refused.code == 500
        assert refused.message.startswith(shown), refused.message
        assert text in refused.message
    peer.answer[0] = convert
    wait_until(lambda: api.get(hosts.path("a", "v2")).code == 200, "the webhook is asked again")


def test_a_webhook_of_a_service_that_is_not_there(
    hosts: Custom, api: RawApi, namespace: str, peer: Peer
) -> None:
    assert api.post(hosts.path(), hosts.obj("a", hostPort="h:1")).code == 201
    changed = hosts.definition()
    changed["spec"]["conversion"]["webhook"]["clientConfig"] = {
        "service": {"namespace": namespace, "name": "missing", "path": "/convert"},
        "caBundle": peer.client_config["caBundle"],
    }
    assert api.put(f"{DEFINITIONS}/{hosts.name}", changed).code == 200
    refused = api.get(hosts.path("a", "v2"))
    assert refused.code == 500
    assert 'service "missing" not found' in refused.message
