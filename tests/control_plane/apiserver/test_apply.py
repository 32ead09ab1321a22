"""Server-side apply over HTTP: what creates, conflicts, is refused, and what leaves no trace."""

from typing import Any

import pytest

from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map, deployment
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import Answer, RawApi

Object = dict[str, Any]


def configured(name: str = "a", **data: str) -> Object:
    return config_map(name, None, **data)


def managers(answer: Answer) -> dict[str, Object]:
    return {entry["manager"]: entry for entry in answer.json["metadata"].get("managedFields", [])}


@pytest.fixture
def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def web(api: RawApi, namespace: str) -> str:
    collection = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert api.post(f"{collection}?fieldManager=maker", deployment("web")).code == 201
    return f"{collection}/web"


def test_apply_creates_then_updates(api: RawApi, maps: str) -> None:
    made = api.apply(f"{maps}/a", configured(x="1"))
    assert made.code == 201, made.text
    (entry,) = made.json["metadata"]["managedFields"]
    assert list(entry) == [
        "manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1",
    ]  # fmt: skip
    assert entry["fieldsV1"] == {"f:data": {"f:x": {}}}
    again = api.apply(f"{maps}/a", configured(x="2"))
    assert (again.code, again.json["data"]) == (200, {"x": "2"})
    assert api.get(f"{maps}/a").json == again.json


def test_yaml_is_applied(api: RawApi, maps: str) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {x: '1'}\n"
    assert api.apply(f"{maps}/a", body).json["data"] == {"x": "1"}


def test_a_conflict_and_its_end(api: RawApi, maps: str) -> None:
    api.apply(f"{maps}/a", configured(x="1"), "m1")
    refused = api.apply(f"{maps}/a", configured(x="2"), "m2")
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert refused.message == 'Apply failed with 1 conflict: conflict with "m1": .data.x'
    assert refused.json["details"] == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "m1"',
                "field": ".data.x",
            }
        ]
    }
    assert api.apply(f"{maps}/a", configured(x="2"), "m2", "&force=false").code == 409
    forced = api.apply(f"{maps}/a", configured(x="2"), "m2", "&force=true")
    assert (forced.json["data"], list(managers(forced))) == ({"x": "2"}, ["m2"])


def test_an_apply_that_changes_nothing_writes_nothing(api: RawApi, maps: str) -> None:
    made = api.apply(f"{maps}/a", configured(x="1"))
    assert api.apply(f"{maps}/a", configured(x="1")).json == made.json
    other = api.apply(f"{maps}/a", configured(x="1"), "m2")
    assert "time" not in managers(other)["m2"]
    assert other.json["metadata"]["resourceVersion"] != made.json["metadata"]["resourceVersion"]
    assert api.apply(f"{maps}/a", configured(x="1"), "m2").json == other.json


def test_dry_run_applies_nothing(api: RawApi, maps: str) -> None:
    assert api.apply(f"{maps}/a", configured(x="1"), query="&dryRun=All").code == 201
    assert api.get(f"{maps}/a").code == 404
    made = api.apply(f"{maps}/a", configured(x="1"))
    tried = api.apply(f"{maps}/a", configured(x="2"), query="&dryRun=All")
    assert tried.json["data"] == {"x": "2"}
    assert api.get(f"{maps}/a").json == made.json


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "fieldManager: Required value: is required for apply patch"),
        ("fieldManager=" + "x" * 129, "fieldManager: Too long: may not be more than 128 bytes"),
        ("fieldManager=a%0Ab", "invalid character U+000A (at position 1)"),
    ],
)
def test_managers_that_are_refused(api: RawApi, maps: str, query: str, text: str) -> None:
    headers = {"Content-Type": "application/apply-patch+yaml"}
    answer = api.request("PATCH", f"{maps}/a?{query}", configured(), headers)
    assert answer.code == 422
    assert answer.message.startswith('PatchOptions.meta.k8s.io "" is invalid: ')
    assert text in answer.message


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (
            b"a: [",
            400,
            "error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find "
            "expected node content",
        ),
        (b"[]", 400, "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: "
         "cannot unmarshal array into Go value of type map[string]interface {}"),
        ({"apiVersion": "v1", "kind": "Foo"}, 400, "invalid object type: /v1, Kind=Foo"),
        ({"kind": "ConfigMap"}, 400, "invalid object type: /, Kind=ConfigMap"),
        ({**configured(), "metadata": {"name": "a", "managedFields": []}}, 400,
         "metadata.managedFields must be nil"),
        ({**configured(), "top": 1}, 400, "failed to create typed patch object (/a; /v1, "
         "Kind=ConfigMap): .top: field not declared in schema"),
        (configured("b"), 400,
         "the name of the object (b) does not match the name on the URL (a)"),
        ({**configured(), "metadata": {"name": "a", "uid": "1"}}, 409,
         'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object '
         "specified uid 1, and no existing object was found"),
        ({**configured(), "data": {"!": "x"}}, 422, "data[!]: Invalid value"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(
    api: RawApi, maps: str, body: Any, code: int, text: str
) -> None:
    answer = api.apply(f"{maps}/a", body)
    assert (answer.code, answer.json["kind"]) == (code, "Status")
    assert text in answer.message
    assert api.get(f"{maps}/a").code == 404


def test_cbor_is_not_understood(api: RawApi, maps: str) -> None:
    headers = {"Content-Type": "application/apply-patch+cbor"}
    answer = api.request("PATCH", f"{maps}/a?fieldManager=m", b"\xa0", headers)
    assert (answer.code, answer.message) == (
        415,
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, "
        "application/strategic-merge-patch+json, application/apply-patch+yaml",
    )


def test_versions_and_apply(api: RawApi, maps: str) -> None:
    config = configured(x="1")
    config["metadata"]["resourceVersion"] = "5"
    made = api.apply(f"{maps}/a", config)
    assert made.code == 201  # what is not there has no version to compare
    stale = api.apply(f"{maps}/a", config)
    assert (stale.code, stale.reason) == (409, "Conflict")
    config["metadata"]["resourceVersion"] = made.json["metadata"]["resourceVersion"]
    assert api.apply(f"{maps}/a", config).code == 200


def test_repeated_keys(api: RawApi, maps: str) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: '1'\n  x: '2'\n"
    refused = api.apply(f"{maps}/a", body, query="&fieldValidation=Strict")
    assert (refused.code, refused.message) == (
        400,
        "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
        '  line 6: key "x" already set in map',
    )
    warned = api.apply(f"{maps}/a", body)
    assert (warned.code, warned.json["data"]) == (201, {"x": "2"})
    assert warned.headers["Warning"] == '299 - "line 6: key \\"x\\" already set in map"'
    silent = api.apply(f"{maps}/a", body, query="&fieldValidation=Ignore")
    assert "Warning" not in silent.headers


def test_every_write_is_tracked(api: RawApi, maps: str) -> None:
    made = api.post(f"{maps}?fieldManager=poster", config_map("a", x="1"))
    assert list(managers(made)) == ["poster"]
    api.put(f"{maps}/a?fieldManager=putter", config_map("a", x="1", y="2"))
    api.patch(f"{maps}/a?fieldManager=patcher", {"data": {"z": "3"}})
    answer = api.request("PATCH", f"{maps}/a", {"data": {"x": "9"}},
                         {"Content-Type": "application/merge-patch+json",
                          "User-Agent": "agent/v1 (linux)"})  # fmt: skip
    owned = {name: entry["fieldsV1"] for name, entry in managers(answer).items()}
    assert owned == {
        "poster": {"f:data": {}},
        "putter": {"f:data": {"f:y": {}}},
        "patcher": {"f:data": {"f:z": {}}},
        "agent": {"f:data": {"f:x": {}}},
    }


def test_managers_can_be_forgotten_but_not_forged(api: RawApi, maps: str) -> None:
    made = api.post(f"{maps}?fieldManager=poster", config_map("a", x="1")).json
    forged = {"metadata": {"managedFields": [{"operation": "Foo"}]}}
    assert api.patch(f"{maps}/a?fieldManager=m", forged).json == made
    resets: tuple[list[Object], ...] = ([], [{}])
    for reset in resets:
        answer = api.patch(f"{maps}/a", {"metadata": {"managedFields": reset}})
        assert "managedFields" not in answer.json["metadata"]
    assert managers(api.patch(f"{maps}/a", {"data": {"x": "2"}})) == {}
    applied = api.apply(f"{maps}/a", configured(y="1"))
    assert sorted(managers(applied)) == ["before-first-apply", "m1"]


def test_managers_do_not_make_a_generation(api: RawApi, web: str) -> None:
    before = api.get(web).json
    config = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
              "spec": {"replicas": before["spec"].get("replicas", 1)}}  # fmt: skip
    answer = api.apply(web, config)
    assert (answer.code, sorted(managers(answer))) == (200, ["m1", "maker"])
    assert answer.json["metadata"]["generation"] == before["metadata"]["generation"]


def test_a_status_is_applied_through_its_endpoint(api: RawApi, web: str) -> None:
    config = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
              "spec": {"replicas": 9}, "status": {"observedGeneration": 1}}  # fmt: skip
    answer = api.apply(f"{web}/status", config, "st")
    assert answer.code == 200, answer.text
    assert answer.json["status"]["observedGeneration"] == 1
    assert answer.json["spec"]["replicas"] != 9
    entry = managers(answer)["st"]
    assert (entry["subresource"], list(entry["fieldsV1"])) == ("status", ["f:status"])
    main = api.apply(web, config | {"spec": {"paused": True}}, "main")
    assert list(managers(main)["main"]["fieldsV1"]) == ["f:spec"]
    assert api.apply(f"{web}-none/status", config, "st").code in (400, 404)


def test_scaling_takes_the_replicas(api: RawApi, web: str) -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"},
             "spec": {"replicas": 5}}  # fmt: skip
    refused = api.apply(f"{web}/scale", scale, "hpa")
    assert refused.code == 409
    assert refused.message == (
        'Apply failed with 1 conflict: conflict with "maker" using autoscaling/v1: .spec.replicas'
    )
    assert api.apply(f"{web}/scale", scale, "hpa", "&force=true").code == 200
    parent = api.get(web)
    assert parent.json["spec"]["replicas"] == 5
    found = managers(parent)
    assert found["hpa"]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert found["hpa"]["subresource"] == "scale"
    assert found["hpa"]["apiVersion"] == "apps/v1"
    assert "f:replicas" not in found["maker"]["fieldsV1"]["f:spec"]
    api.patch(f"{web}/scale?fieldManager=cli", {"spec": {"replicas": 6}})
    assert {"cli", "maker"} == set(managers(api.get(web)))


def test_creating_needs_the_permission(server: ThreadedApiServer, api: RawApi, maps: str) -> None:
    with raw_api(server, "") as nobody:
        assert nobody.apply(f"{maps}/a", configured()).code == 403
    assert api.get(f"{maps}/a").code == 404


def test_a_new_object_may_say_who_owns_it(api: RawApi, maps: str) -> None:
    made = api.apply(f"{maps}/a", configured(x="1")).json
    entries = made["metadata"]["managedFields"]
    copied = config_map("b", x="1")
    copied["metadata"]["managedFields"] = entries
    answer = api.post(f"{maps}?fieldManager=poster", copied)
    assert set(managers(answer)) == {"poster"}  # who makes everything takes everything
    copied = config_map("c", x="1")
    copied["metadata"]["managedFields"] = [{}]
    assert set(managers(api.post(f"{maps}?fieldManager=poster", copied))) == {"poster"}


def test_deleting_tracks_nothing(api: RawApi, maps: str) -> None:
    config = configured(x="1")
    config["metadata"]["finalizers"] = ["example.com/held"]
    made = api.apply(f"{maps}/a", config).json
    gone = api.delete(f"{maps}/a").json
    assert gone["metadata"]["deletionTimestamp"]
    assert gone["metadata"]["managedFields"] == made["metadata"]["managedFields"]
    config["metadata"]["finalizers"] = []
    assert api.apply(f"{maps}/a", config).code == 200
    assert api.get(f"{maps}/a").code == 404
