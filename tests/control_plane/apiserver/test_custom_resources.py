"""Custom resources through the API: every verb, defaults, pruning, validation, subresources."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.control_plane.apiserver.custom_stage import (
    DEFINITIONS,
    Custom,
    Object,
    definition,
    established,
    version,
)
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 10},
                "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
                "either": {"x-kubernetes-int-or-string": True},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "tags": {
                    "type": "array",
                    "items": {"type": "string"},
                    "x-kubernetes-list-type": "set",
                },
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["port"],
                    "items": {
                        "type": "object",
                        "required": ["port"],
                        "properties": {
                            "port": {"type": "integer"},
                            "name": {"type": "string"},
                        },
                    },
                },
                "replicas": {"type": "integer"},
            },
        },
        "status": {
            "type": "object",
            "properties": {
                "replicas": {"type": "integer"},
                "selector": {"type": "string"},
                "ready": {"type": "boolean"},
            },
        },
    },
}
SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}
COLUMNS = [
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Colour", "type": "string", "jsonPath": ".spec.colour", "priority": 1},
]


def widgets() -> Object:
    return definition(
        version(
            schema=SCHEMA,
            subresources={"status": {}, "scale": SCALE},
            additionalPrinterColumns=COLUMNS,
            selectableFields=[{"jsonPath": ".spec.colour"}],
        )
    )


@pytest.fixture
def foos(api: RawApi, namespace: str) -> Iterator[Custom]:
    with established(api, namespace, widgets()) as custom:
        yield custom


def test_finalizers_need_no_path(foos: Custom, api: RawApi) -> None:
    def held(*finalizers: str) -> Object:
        obj = foos.obj("a", spec={"size": 3})
        obj["metadata"]["finalizers"] = [*finalizers]
        return obj

    argo = "resources-finalizer.argocd.argoproj.io"
    made = api.post(foos.path(), held(argo, "a.io/b", "orphan"))
    assert made.code == 201, made.text
    why = "to avoid accidental conflicts with other finalizer writers"
    text = f"prefer a domain-qualified finalizer name including a path (/) {why}"
    assert made.headers["Warning"] == f'299 - "metadata.finalizers: \\"{argo}\\": {text}"'
    changed = {"metadata": {"finalizers": [argo, "mine"]}}
    patched = api.patch(foos.path("a"), changed)
    text = f"prefer a domain-qualified finalizer name {why}"
    assert patched.headers["Warning"] == f'299 - "metadata.finalizers: \\"mine\\": {text}"'
    assert "Warning" not in api.patch(foos.path("a"), {"metadata": {"labels": {"a": "b"}}}).headers
    wrong = api.patch(foos.path("a"), {"metadata": {"finalizers": ["a b"]}})
    assert (wrong.code, wrong.reason) == (422, "Invalid")
    assert api.patch(foos.path("a"), {"metadata": {"finalizers": None}}).code == 200


def test_a_subresource_that_no_definition_names_is_not_found(foos: Custom, api: RawApi) -> None:
    assert api.post(foos.path(), foos.obj("a", spec={"size": 3})).code == 201
    answer = api.get(foos.path("a", sub="nothing"))
    assert (answer.code, answer.message) == (404, f'{foos.plural}.{foos.group} "a" not found')


def test_every_verb(foos: Custom, api: RawApi) -> None:
    made = api.post(foos.path(), foos.obj("a", spec={"size": 3, "unknown": 1}, other=2))
    assert made.code == 201, made.text
    assert made.json["spec"] == {"size": 3, "colour": "red"}
    assert made.json["metadata"]["generation"] == 1
    assert "other" not in made.json
    assert "spec.unknown" in made.headers["Warning"]
    assert api.get(foos.path("a")).json == made.json
    changed = {**made.json, "spec": {"size": 4}}
    updated = api.put(foos.path("a"), changed)
    assert updated.json["metadata"]["generation"] == 2, updated.text
    assert api.put(foos.path("a"), changed).reason == "Conflict"
    patched = api.patch(foos.path("a"), {"spec": {"colour": "blue"}})
    assert patched.json["spec"] == {"size": 4, "colour": "blue"}
    listed = api.get(f"{foos.path()}?fieldSelector=spec.colour=blue").json
    assert (listed["kind"], listed["apiVersion"]) == ("FooList", f"{foos.group}/v1")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a"]
    assert api.get(f"{foos.path()}?fieldSelector=spec.colour=red").json["items"] == []
    unknown = api.get(f"{foos.path()}?fieldSelector=spec.size=1")
    assert unknown.message == "field label not supported: spec.size"
    strategic = {"Content-Type": "application/strategic-merge-patch+json"}
    assert api.request("PATCH", foos.path("a"), {}, strategic).code == 415
    assert api.delete(foos.path("a")).code == 200
    assert api.get(foos.path("a")).code == 404


def test_what_is_wrong_is_said_as_upstream_says_it(foos: Custom, api: RawApi) -> None:
    bad = foos.obj(
        "a",
        spec={"size": 11, "name": "TOO-LONG", "tags": ["a", "a"], "ports": [{"port": 1}] * 2},
    )
    refused = api.post(foos.path(), bad)
    assert refused.code == 422
    causes = {cause["field"]: cause["message"] for cause in refused.json["details"]["causes"]}
    assert causes == {
        "spec.size": ("Invalid value: 11: spec.size in body should be less than or equal to 10"),
        "spec.name": "Too long: may not be more than 5 bytes",
        "spec.tags[1]": 'Duplicate value: "a"',
        "spec.ports[1]": 'Duplicate value: {"port":1}',
    }
    assert refused.message.startswith(f'Foo.{foos.group} "a" is invalid: [')
    wrong = api.post(foos.path(), foos.obj("a", spec={"size": "3", "either": True}))
    assert 'spec.size in body must be of type integer: "string"' in wrong.message
    assert 'spec.either in body must be of type integer,string: "boolean"' in wrong.message
    assert "spec.size: Required value" in api.post(foos.path(), foos.obj("a", spec={})).message
    strict = api.post(f"{foos.path()}?fieldValidation=Strict", foos.obj("a", spec={"x": 1}, y=1))
    assert strict.message == (
        'Foo in version "v1" cannot be handled as a Foo: strict decoding error: '
        'unknown field "spec.x", unknown field "y"'
    )


def test_status_and_scale(foos: Custom, api: RawApi) -> None:
    sent = foos.obj("a", spec={"size": 1, "replicas": 2}, status={"ready": True})
    made = api.post(foos.path(), sent).json
    assert "status" not in made
    status = {"replicas": 1, "selector": "a=b"}
    updated = api.put(foos.path("a", sub="status"), {**made, "status": status, "spec": {"size": 9}})
    assert updated.code == 200, updated.text
    assert (updated.json["spec"]["size"], updated.json["status"]) == (1, status)
    assert updated.json["metadata"]["generation"] == 1
    scale = api.get(foos.path("a", sub="scale")).json
    assert scale["kind"] == "Scale"
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 1, "selector": "a=b"}
    scaled = api.patch(foos.path("a", sub="scale"), {"spec": {"replicas": 5}})
    assert scaled.code == 200, scaled.text
    after = api.get(foos.path("a")).json
    assert (after["spec"]["replicas"], after["status"]) == (5, status)


def test_kubectl_makes_shows_and_applies(
    foos: Custom, server: ThreadedApiServer, tmp_path: Path
) -> None:
    kubectl = Kubectl(server.kubeconfig, tmp_path, foos.namespace)
    obj = foos.obj("a", spec={"size": 3, "ports": [{"port": 1}]})
    kubectl("apply", "-f", "-", stdin=json.dumps(obj))
    heading, row = kubectl("get", foos.name).splitlines()
    assert heading.split() == ["NAME", "SIZE"]
    assert row.split() == ["a", "3"]
    assert kubectl("get", foos.name, "-o", "wide").split() == [
        "NAME", "SIZE", "COLOUR", "a", "3", "red",
    ]  # fmt: skip
    obj["spec"] = {"size": 4, "ports": [{"port": 2}]}
    kubectl(
        "apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-",
        stdin=json.dumps(obj),
    )  # fmt: skip
    after = json.loads(kubectl("get", foos.name, "a", "-o", "json"))
    assert after["spec"]["size"] == 4
    assert [port["port"] for port in after["spec"]["ports"]] == [
        2
    ]  # kubectl owns what it had applied
    kubectl("scale", f"{foos.name}/a", "--replicas=7")
    replicas = kubectl("get", foos.name, "a", "-o", "jsonpath={.spec.replicas}")
    assert replicas == "7"
    kubectl("delete", foos.name, "a")


def test_a_definition_goes_after_its_objects(api: RawApi, namespace: str) -> None:
    with established(api, namespace, widgets()) as foos:
        held = foos.obj("a", spec={"size": 1})
        held["metadata"]["finalizers"] = ["example.com/held"]
        assert api.post(foos.path(), held).code == 201
        deleted = api.delete(f"{DEFINITIONS}/{foos.name}").json
        assert deleted["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
        reasons = {one["type"]: one["reason"] for one in deleted["status"]["conditions"]}
        assert reasons["Terminating"] == "InstanceDeletionPending"
        ended = lambda: "deletionTimestamp" in api.get(foos.path("a")).json["metadata"]  # noqa: E731
        wait_until(ended, "it is being deleted")
        refused = api.post(foos.path(), foos.obj("b", spec={"size": 1}))
        assert refused.message == (
            f'foos.{foos.group} "b" is forbidden: '
            "create not allowed while custom resource definition is terminating"
        )
        assert api.patch(foos.path("a"), {"metadata": {"finalizers": None}}).code == 200
        wait_until(lambda: api.get(f"{DEFINITIONS}/{foos.name}").code == 404, "it is gone")
        wait_until(lambda: api.get(foos.path()).code == 404, "it is gone")


def test_their_caches_are_in_the_metrics(foos: Custom, api: RawApi) -> None:
    assert api.post(foos.path(), foos.obj("a", spec={"size": 1})).code == 201
    counted = f'apiserver_resource_objects{{group="{foos.group}",resource="foos"}} 1.0'
    wait_until(lambda: counted in api.get("/metrics").text, "the cache has it")


def test_objects_go_with_a_definition_that_is_not_served(api: RawApi, namespace: str) -> None:
    wanted = widgets()
    with established(api, namespace, wanted) as foos:
        assert api.post(foos.path(), foos.obj("a", spec={"size": 1})).code == 201
        hidden = foos.definition()
        for one in hidden["spec"]["versions"]:
            one["served"] = False
        assert api.put(f"{DEFINITIONS}/{foos.name}", hidden).code == 200
        assert api.get(foos.path()).code == 404
    with established(api, namespace, wanted) as foos:
        assert api.get(foos.path()).json["items"] == []


def test_kubectl_explains_it(foos: Custom, server: ThreadedApiServer, tmp_path: Path) -> None:
    kubectl = Kubectl(server.kubeconfig, tmp_path, foos.namespace)
    explained = kubectl("explain", f"{foos.plural}.spec", f"--api-version={foos.group}/v1")
    assert "KIND:       Foo" in explained
    assert "size\t<integer> -required-" in explained
    document = foos.api.get("/openapi/v2").json
    path = f"/apis/{foos.group}/v1/namespaces/{{namespace}}/foos/{{name}}"
    assert document["paths"][path]["patch"]["consumes"] == [
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    ]
    name = ".".join([*reversed(foos.group.split(".")), "v1", "Foo"])
    assert document["definitions"][name]["properties"]["spec"]["required"] == ["size"]
    assert f"{name}List" in document["definitions"]
    wanted = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert foos.api.get("/openapi/v2", wanted).code == 200
    paths = foos.api.get(f"/openapi/v3/apis/{foos.group}/v1").json["paths"]
    place = f"/apis/{foos.group}/v1/namespaces/{{namespace}}/{foos.plural}/{{name}}"
    assert set(paths[place]["patch"]["requestBody"]["content"]) == {
        "application/json-patch+json", "application/merge-patch+json",
        "application/apply-patch+yaml",
    }  # fmt: skip


RULED = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "x-kubernetes-validations": [
                {
                    "rule": "self.least <= self.most",
                    "messageExpression": "'least is %d'.format([self.least])",
                },
                {"rule": "self.most >= oldSelf.most", "message": "it cannot shrink"},
            ],
            "properties": {
                "least": {"type": "integer"},
                "most": {"type": "integer"},
                "name": {"type": "string"},
            },
        }
    },
}


def test_rules_and_what_they_forgive(api: RawApi, namespace: str) -> None:
    with established(api, namespace, definition(version(schema=RULED))) as foos:
        refused = api.post(foos.path(), foos.obj("a", spec={"least": 3, "most": 2}))
        assert refused.message == (
            f'Foo.{foos.group} "a" is invalid: spec: Invalid value: least is 3'
        )
        assert api.post(foos.path(), foos.obj("a", spec={"least": 1, "most": 2})).code == 201
        shrunk = api.patch(foos.path("a"), {"spec": {"most": 1}})
        assert shrunk.json["details"]["causes"][0]["message"] == "Invalid value: it cannot shrink"
        stricter = foos.definition()
        spec = stricter["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        spec["properties"]["name"] = {"type": "string", "maxLength": 2}
        spec["properties"]["least"]["x-kubernetes-validations"] = [{"rule": "self > 5"}]
        assert api.put(f"{DEFINITIONS}/{foos.name}", stricter).code == 200
        kept = api.patch(foos.path("a"), {"spec": {"most": 4}})
        assert kept.code == 200, kept.text
        assert "failed rule: self > 5" in kept.headers["Warning"]
        changed = api.patch(foos.path("a"), {"spec": {"least": 2}})
        assert "spec.least: Invalid value: 2: failed rule: self > 5" in changed.message
        wrong = definition(version(schema=RULED))
        wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {
            "type": "object",
            "x-kubernetes-validations": [{"rule": "self.nothing == 1"}],
        }
        assert "undefined field 'nothing'" in api.post(DEFINITIONS, wrong).message
