"""Bad input of every kind gets a Status with the right code, never a 500."""

import base64
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import config_map, deployment, pod
from tests.support.raw_api import RawApi

MAX_BODY = 3 * 1024 * 1024


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", 400, "couldn't get version/kind"),
        (b"{", 400, "unexpected end of JSON input"),
        (b"{bad", 400, "invalid character 'b' looking for beginning of object key string"),
        (b"[]", 400, "cannot unmarshal array"),
        (b"null", 400, ""),
        (b'"text"', 400, "cannot unmarshal string"),
        (b"\xff\xfe", 400, ""),
        (b'{"kind":"Pod"}', 400, "cannot be handled as a ConfigMap"),
        (b'{"kind":"ConfigMap","apiVersion":"v2"}', 400, ""),
        (b'{"kind":"Nothing","apiVersion":"v1"}', 400, 'no kind "Nothing" is registered'),
        (b'{"kind":7}', 400, "cannot unmarshal number"),
        (b'{"metadata":7}', 400, "cannot unmarshal number"),
        (b'{"metadata":{"name":7}}', 400, "cannot unmarshal number"),
        (b'{"metadata":{"labels":[]}}', 400, "cannot unmarshal array"),
        (b'{"metadata":{"name":"a"},"data":{"x":1}}', 400, "cannot unmarshal number"),
        (b'{"metadata":{"name":"a"},"data":[]}', 400, "cannot unmarshal array"),
        (b'{"metadata":{}}', 422, "name or generateName is required"),
        (b'{"metadata":{"name":"UPPER"}}', 422, "a lowercase RFC 1123 subdomain"),
        (b'{"metadata":{"name":"a/b"}}', 422, "metadata.name"),
        (b'{"metadata":{"name":"a\\u0000b"}}', 422, "metadata.name"),
        (b'{"metadata":{"name":".."}}', 422, "metadata.name"),
        (b'{"metadata":{"name":"a","labels":{"a b":"c"}}}', 422, "metadata.labels"),
        (b'{"metadata":{"name":"a","namespace":"elsewhere"}}', 400, "does not match the namespace"),
        (b'{"metadata":{"name":"a"},"data":{"bad key!":"x"}}', 422, "data[bad key!]"),
        (b"[" * 100_000, 400, ""),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, ""),
    ],
)
def test_bodies_that_are_no_config_map(
    api: RawApi, namespace: str, body: bytes, code: int, message: str
) -> None:
    answer = api.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body)
    assert answer.code == code, answer.text
    assert answer.json["kind"] == "Status"
    assert answer.json["code"] == code
    assert message in answer.message


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "spec.containers"),
        ({"containers": []}, "spec.containers"),
        ({"containers": [{"image": "x"}]}, "spec.containers[0].name"),
        ({"containers": [{"name": "c"}]}, "spec.containers[0].image"),
        ({"containers": [{"name": "C!", "image": "x"}]}, "spec.containers[0].name"),
        (
            {"containers": [{"name": "c", "image": "x"}], "restartPolicy": "Perhaps"},
            "spec.restartPolicy",
        ),
    ],
)
def test_invalid_pods_say_which_field(
    api: RawApi, namespace: str, spec: dict[str, Any], field: str
) -> None:
    body = {"metadata": {"name": "p"}, "spec": spec}
    answer = api.post(f"/api/v1/namespaces/{namespace}/pods", body)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.json["details"]["kind"] == "Pod"
    assert field in [cause["field"] for cause in answer.json["details"]["causes"]]


def test_resource_version_on_create(api: RawApi, namespace: str) -> None:
    obj = config_map("a")
    obj["metadata"]["resourceVersion"] = "7"
    answer = api.post(f"/api/v1/namespaces/{namespace}/configmaps", obj)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    assert answer.message == "resourceVersion should not be set on objects to be created"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"resourceVersion": "1"}, 409, "the object has been modified"),
        ({"resourceVersion": "x"}, 400, "invalid syntax"),
        ({"resourceVersion": "9" * 5000}, 400, "value out of range"),
        ({"name": ""}, 400, "the name of the object (a based on URL) was undeterminable"),
        ({"name": "b"}, 400, "the name of the object (b) does not match the name on the URL (a)"),
        ({"namespace": "b"}, 400, "does not match the namespace sent on the request"),
        ({"uid": "b"}, 409, "Precondition failed: UID in precondition: b"),
    ],
)
def test_updates_of_something_else(
    api: RawApi, namespace: str, change: dict[str, str], code: int, message: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    obj = api.post(path, config_map("a")).json
    obj["metadata"] |= change
    answer = api.put(f"{path}/a", obj)
    assert answer.code == code, answer.text
    assert message in answer.message


def test_immutable_fields(api: RawApi, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    api.post(path, deployment("d"))
    new = {"matchLabels": {"app": "other"}}
    change = {"spec": {"selector": new, "template": {"metadata": {"labels": {"app": "other"}}}}}
    answer = api.patch(f"{path}/d", change)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert "spec.selector: Invalid value" in answer.message
    assert "field is immutable" in answer.message


def test_a_body_that_is_too_large(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    answer = api.request("POST", path, b"{" + b" " * MAX_BODY + b"}")
    assert (answer.code, answer.reason) == (413, "RequestEntityTooLarge")
    assert answer.message == "Request entity too large: limit is 3145728"


def test_an_object_that_the_store_does_not_take(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    annotations = {f"a.b/{n}": "x" * 1000 for n in range(10)}
    obj = config_map("a", x="y" * 1_600_000)
    obj["metadata"]["annotations"] = annotations
    answer = api.post(path, obj)
    assert answer.code in (413, 422), answer.text


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/v1/unknown", 404),
        ("GET", "/apis/none.io/v1/things", 404),
        ("GET", "/apis/none.io", 404),
        ("GET", "/api/v2", 404),
        ("GET", "/api/v1/pods/x", 404),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
        ("GET", "/api/v1/namespaces/default/pods/x/unknown", 404),
        ("GET", "/api/v1/namespaces/default/pods/%2e%2e", 404),
        ("GET", "/api/v1/namespaces/default/pods/a%2Fb", 404),
        ("GET", "/api/v1/namespaces/default/pods/none", 404),
        ("GET", "/nothing", 404),
        ("POST", "/api/v1/namespaces/default", 405),
        ("PUT", "/api/v1/namespaces", 405),
        ("DELETE", "/api/v1/namespaces", 405),
        ("POST", "/api/v1/pods", 405),
        ("DELETE", "/api/v1/configmaps", 405),
        ("PATCH", "/api/v1/namespaces/default/pods", 405),
        ("POST", "/api/v1/namespaces/default/pods/x/status", 405),
    ],
)
def test_paths_and_methods_that_are_not_served(
    api: RawApi, method: str, path: str, code: int
) -> None:
    answer = api.request(method, path, config_map("a") if method != "GET" else None)
    assert answer.code == code, answer.text
    if code == 405:
        text = "the server does not allow this method on the requested resource"
        assert (answer.reason, answer.message) == ("MethodNotAllowed", text)
        assert answer.json["details"] == {}


def test_what_cannot_be_watched_says_so(api: RawApi) -> None:
    answer = api.get("/api/v1/componentstatuses?watch=true")
    text = 'watch is not supported on resources of kind "componentstatuses"'
    assert (answer.code, answer.message) == (405, text)
    assert api.get("/api/v1/watch/componentstatuses").code == 404
    answer = api.request("POST", "/api/v1/watch/pods")
    assert (answer.code, answer.reason) == (405, "MethodNotAllowed")


def test_a_get_for_export_is_refused(api: RawApi) -> None:
    answer = api.get("/api/v1/namespaces/default?export=true")
    text = "the export parameter, deprecated since v1.14, is no longer supported"
    assert (answer.code, answer.message) == (400, text)
    assert api.get("/api/v1/namespaces/default?export=false").code == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("dryRun=Some", 'supported values: "All"'),
        ("fieldValidation=Maybe", 'fieldValidation: Unsupported value: "Maybe"'),
        ("fieldManager=" + "x" * 200, "may not be more than 128 bytes"),
        ("fieldManager=a%0Ab", "invalid character U+000A"),
    ],
)
def test_bad_write_options(api: RawApi, namespace: str, query: str, message: str) -> None:
    answer = api.post(f"/api/v1/namespaces/{namespace}/configmaps?{query}", config_map("a"))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith('CreateOptions.meta.k8s.io "" is invalid: ')
    assert message in answer.message


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (f"resourceVersion={'9' * 5000}", "invalid resource version: resourceVersion: "),
        ("resourceVersion=9223372036854775808", "value out of range"),
        ("resourceVersion=-1", "invalid syntax"),
        ("a=b&" * 10_000, "the query has more than 10000 parameters"),
    ],
)
@pytest.mark.parametrize("name", ["", "/a"])
def test_queries_beyond_reason(
    api: RawApi, namespace: str, query: str, message: str, name: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, config_map("a"))
    answer = api.get(f"{path}{name}?{query}")
    assert (answer.code, answer.reason) == (400, "BadRequest"), answer.text
    assert message in answer.message


def test_a_continue_token_of_a_revision_that_cannot_be(api: RawApi, namespace: str) -> None:
    document = b'{"v":"meta.k8s.io/v1","rv":9223372036854775808,"start":"a\\u0000"}'
    token = base64.urlsafe_b64encode(document).decode().rstrip("=")
    answer = api.get(f"/api/v1/namespaces/{namespace}/configmaps?continue={token}")
    assert (answer.code, answer.reason) == (400, "BadRequest"), answer.text
    assert answer.message == (
        "invalid continue token: continue key is not valid: json: cannot unmarshal number "
        "9223372036854775808 into Go struct field continueToken.rv of type int64"
    )


def test_media_types_that_are_not_read(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    answer = api.request("POST", path, b"x", {"Content-Type": "text/csv"})
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")
    api.post(path, config_map("a"))
    patch = api.request("PATCH", f"{path}/a", b"{}", {"Content-Type": "application/json"})
    assert patch.code == 415
    assert "application/merge-patch+json" in patch.message


def test_unknown_fields_by_directive(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    body = pod("p")
    body["spec"]["surprise"] = 1
    strict = api.post(f"{path}?fieldValidation=Strict", body)
    assert strict.code == 400
    assert strict.message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: '
        'unknown field "spec.surprise"'
    )
    warned = api.post(path, body)
    assert warned.code == 201
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.surprise\\""'
    assert "surprise" not in warned.json["spec"]


def test_yaml_bodies(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    yaml = {"Content-Type": "application/yaml"}
    body = b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\ndata: {when: '2026-01-02'}\n"
    made = api.request("POST", path, body, yaml)
    assert made.code == 201, made.text
    assert made.json["data"] == {"when": "2026-01-02"}
    read = api.get(f"{path}/a", "application/yaml").text
    assert "when: '2026-01-02'" in read
    words = {"a": "y", "b": "1e3", "c": "12:30", "d": "500m"}  # numbers and booleans in Go
    api.patch(f"{path}/a", {"data": words})
    sent = api.get(f"{path}/a", "application/yaml").text
    assert "a: 'y'\n  b: '1e3'\n  c: '12:30'\n  d: 500m\n" in sent
    assert (
        api.request("PUT", f"{path}/a", sent.encode(), yaml).json["data"].items() >= words.items()
    )
    for bad in (b"a: [", b"- 1\n- 2\n", b"&a [*a]", b"a: !!python/object:os.system x"):
        assert api.request("POST", path, bad, yaml).code == 400, bad


def test_aliases_do_not_explode(api: RawApi, namespace: str) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    body = f"l0: &l0 [x]\n{levels}".encode()
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    answer = api.request("POST", path, body, {"Content-Type": "application/yaml"})
    assert answer.code == 400


def test_protobuf_that_is_none(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    protobuf = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    for body in (b"x", b"k8s\0", b"k8s\0\xff\xff", b"k8s\0\x0a\x7f", b"k8s\0\x12\x02\x0a\x7f"):
        answer = api.request("POST", path, body, protobuf)
        assert (answer.code, answer.reason) == (400, "BadRequest"), body


@pytest.mark.parametrize("path", ["/api/v1/unknown", "/apis/apps/v1/pods", "/api/v1/pods/x/y/z"])
def test_what_a_served_version_lacks_is_told_in_a_status(api: RawApi, path: str) -> None:
    answer = api.get(path)
    assert (answer.code, answer.reason) == (404, "NotFound")
    assert answer.message == "the server could not find the requested resource"


@pytest.mark.parametrize("path", ["/apis/none.io/v1/things", "/api/v2/pods", "/nothing"])
def test_what_no_version_serves_is_told_in_plain_text(api: RawApi, path: str) -> None:
    assert (api.get(path).code, api.get(path).text) == (404, "404 page not found\n")


@pytest.mark.parametrize("subresource", ["nothing", "checkpoint"])
def test_a_subresource_that_is_not_served_is_not_found(
    api: RawApi, namespace: str, subresource: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods/a/{subresource}"
    for method in ("GET", "POST"):
        answer = api.request(method, path, b"")
        assert (answer.code, answer.reason) == (404, "NotFound"), answer.text
        assert answer.message == "the server could not find the requested resource"
