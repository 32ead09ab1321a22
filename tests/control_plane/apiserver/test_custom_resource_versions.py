"""Custom resources in several versions, made of one another by nobody or by a webhook."""

import base64
import datetime
import ipaddress
import itertools
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from yarl import URL

from control_plane.api.objects import find_condition
from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.backend_peer import own_address
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

SERVICE = "converter"
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
    addresses = (ipaddress.ip_address("127.0.0.1"),)
    identity = Identity("webhook", dns_names=(f"{SERVICE}.default.svc",), addresses=addresses)
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

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
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


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] should be able "
    "to convert from CR v1 to CR v2 [Conformance]",
)
def test_a_webhook_converts_from_v1_to_v2_and_back(hosts: Custom, api: RawApi, peer: Peer) -> None:
    assert api.post(hosts.path(), hosts.obj("a", hostPort="host1:80")).code == 201
    made = api.post(hosts.path(version="v2"), hosts.obj("b", "v2", host="host2", port="90"))
    assert made.code == 201, made.text
    assert (made.json["host"], made.json["port"]) == ("host2", "90")
    seen = api.get(hosts.path("a", "v2")).json
    assert (seen["apiVersion"], seen["host"], seen["port"]) == (
        f"{hosts.group}/v2", "host1", "80",
    )  # fmt: skip
    assert "hostPort" not in seen
    assert api.get(hosts.path("b")).json["hostPort"] == "host2:90"
    assert peer.asked[-1]["request"]["desiredAPIVersion"].startswith(hosts.group)


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] should be able "
    "to convert a non homogeneous list of CRs [Conformance]",
)
def test_a_webhook_converts_what_is_stored_in_several_versions(hosts: Custom, api: RawApi) -> None:
    assert api.post(hosts.path(), hosts.obj("a", hostPort="host1:80")).code == 201
    moved = hosts.definition()
    for one in moved["spec"]["versions"]:
        one["storage"] = not one["storage"]
    assert api.put(f"{DEFINITIONS}/{hosts.name}", moved).code == 200
    assert api.post(hosts.path(), hosts.obj("b", hostPort="host2:90")).code == 201
    first = api.get(hosts.path()).json["items"]
    assert [item["hostPort"] for item in first] == ["host1:80", "host2:90"]
    second = api.get(hosts.path(version="v2")).json["items"]
    assert [(item["host"], item["port"]) for item in second] == [("host1", "80"), ("host2", "90")]


def names(api: RawApi, path: str) -> list[str]:
    return [item["metadata"]["name"] for item in api.get(path).json["items"]]


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceFieldSelectors [Privileged:ClusterAdmin] "
    "CustomResourceFieldSelectors MUST list and watch custom resources matching the field "
    "selector [Conformance]",
)
def test_fields_are_selected_in_the_version_of_the_request(hosts: Custom, api: RawApi) -> None:
    for name, place in (("a", "host1:80"), ("b", "host1:8080"), ("c", "host2:80")):
        assert api.post(hosts.path(), hosts.obj(name, hostPort=place)).code == 201
    second = hosts.path(version="v2")
    assert names(api, f"{second}?fieldSelector=host=host1") == ["a", "b"]
    assert names(api, f"{second}?fieldSelector=host=host1,port=80") == ["a"]
    assert names(api, f"{hosts.path()}?fieldSelector=hostPort=host1:80") == ["a"]
    unknown = api.get(f"{hosts.path()}?fieldSelector=host=host1")
    assert "field label not supported: host" in unknown.message
    start = api.get(second).json["metadata"]["resourceVersion"]
    assert api.patch(hosts.path("a", "v2"), {"host": "elsewhere"}).code == 200
    assert api.patch(hosts.path("c"), {"hostPort": "host1:90"}).code == 200
    assert api.delete(f"{second}?fieldSelector=port=8080").code == 200
    query = f"watch=1&fieldSelector=host=host1&resourceVersion={start}"
    expected = [("DELETED", "a"), ("ADDED", "c"), ("DELETED", "b")]
    with api.open_watch(f"{second}?{query}") as events:
        seen = itertools.islice(events, len(expected))
        assert [(one["type"], one["object"]["metadata"]["name"]) for one in seen] == expected


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


def test_a_webhook_with_a_bundle_of_no_use_is_not_served_until_it_has_one(
    hosts: Custom, api: RawApi, namespace: str, peer: Peer
) -> None:
    changed = hosts.definition()
    config = changed["spec"]["conversion"]["webhook"]["clientConfig"]
    config["caBundle"] = base64.b64encode(b"no certificate").decode()
    refused = api.put(f"{DEFINITIONS}/{hosts.name}", changed)
    assert refused.code == 422
    assert "unable to load root certificates: unable to parse bytes as PEM" in refused.message
    fresh = definition(*changed["spec"]["versions"], plural="hosts")
    fresh["spec"]["conversion"] = changed["spec"]["conversion"]
    name, group = fresh["metadata"]["name"], fresh["spec"]["group"]
    assert api.post(DEFINITIONS, fresh).code == 201

    def reason() -> str:
        found = find_condition(api.get(f"{DEFINITIONS}/{name}").json, "Established") or {}
        return str(found.get("reason"))

    wait_until(lambda: reason() == "InvalidCABundle", "it is judged")
    assert api.get(f"/apis/{group}/v1").code == 404
    usable = {"spec": {"conversion": {"webhook": {"clientConfig": peer.client_config}}}}
    assert api.patch(f"{DEFINITIONS}/{name}", usable).code == 200
    wait_until(lambda: reason() == "InitialNamesAccepted", "it is judged again")
    assert api.get(f"/apis/{group}/v1/namespaces/{namespace}/hosts").code == 200
    assert api.delete(f"{DEFINITIONS}/{name}").code == 200


def test_a_webhook_behind_a_service_converts(hosts: Custom, api: RawApi, peer: Peer) -> None:
    core, slices = "/api/v1/namespaces/default", "/apis/discovery.k8s.io/v1/namespaces/default"
    port = URL(peer.client_config["url"]).port
    service = {"metadata": {"name": SERVICE}, "spec": {"ports": [{"name": "x", "port": 9443}]}}
    assert api.post(f"{core}/services", service).code == 201
    one = {
        "metadata": {"name": SERVICE, "labels": {"kubernetes.io/service-name": SERVICE}},
        "addressType": "IPv4",
        "ports": [{"name": "x", "port": port}],
        "endpoints": [{"addresses": [own_address()]}],
    }
    assert api.post(f"{slices}/endpointslices", one).code == 201
    assert api.post(hosts.path(), hosts.obj("a", hostPort="h:1")).code == 201
    changed = hosts.definition()
    place = {"namespace": "default", "name": SERVICE, "port": 9443, "path": "/convert"}
    changed["spec"]["conversion"]["webhook"]["clientConfig"] = {
        "service": place,
        "caBundle": peer.client_config["caBundle"],
    }
    assert api.put(f"{DEFINITIONS}/{hosts.name}", changed).code == 200
    wait_until(lambda: api.get(hosts.path("a", "v2")).code == 200, "the service is asked")
    assert api.get(hosts.path("a", "v2")).json["host"] == "h"
    for path in (f"{core}/services/{SERVICE}", f"{slices}/endpointslices/{SERVICE}"):
        assert api.delete(path).code == 200
