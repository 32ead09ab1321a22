"""Conformance tests of CustomResourceDefinitions as objects, and of fields of custom resources."""

import json
from pathlib import Path

import pytest

from tests.control_plane.apiserver.custom_stage import (
    ANYTHING,
    DEFINITIONS,
    Object,
    definition,
    established,
    version,
)
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import Answer, RawApi
from tests.support.wait import wait_until

WITH_TEMPLATE: Object = {
    "type": "object",
    "properties": {
        "spec": {
            **ANYTHING,
            "properties": {
                "knownField1": {"type": "string"},
                "template": {**ANYTHING, "x-kubernetes-embedded-resource": True},
            },
        }
    },
}


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple "
    "CustomResourceDefinition creating/deleting custom resource definition objects works "
    "[Conformance]",
)
def test_creating_and_deleting_custom_resource_definition_objects_works(
    api: RawApi, namespace: str
) -> None:
    with established(api, namespace, definition()) as foos:
        assert api.get(foos.path()).json["items"] == []
    assert api.get(f"{DEFINITIONS}/{foos.name}").code == 404
    assert api.get(foos.path()).code == 404


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple "
    "CustomResourceDefinition listing custom resource definition objects works [Conformance]",
)
def test_listing_custom_resource_definition_objects_works(api: RawApi, namespace: str) -> None:
    selected = f"{DEFINITIONS}?labelSelector=e2e-list-test-uuid={namespace}"
    wanted = [definition() for _ in range(10)]
    for one in wanted:
        one["metadata"]["labels"] = {"e2e-list-test-uuid": namespace}
        assert api.post(DEFINITIONS, one).code == 201
    listed = {item["metadata"]["name"] for item in api.get(selected).json["items"]}
    assert listed == {one["metadata"]["name"] for one in wanted}
    assert api.delete(selected).code == 200
    wait_until(lambda: api.get(selected).json["items"] == [], "all are gone")


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple "
    "CustomResourceDefinition getting/updating/patching custom resource definition status "
    "sub-resource works [Conformance]",
)
def test_getting_updating_and_patching_the_status_of_a_definition_works(
    api: RawApi, namespace: str
) -> None:
    with established(api, namespace, definition()) as foos:
        path = f"{DEFINITIONS}/{foos.name}/status"
        found = api.get(path).json
        assert found["status"]["storedVersions"] == ["v1"]
        updated = {"type": "", "status": "", "lastTransitionTime": None, "message": "updated"}
        found["status"]["conditions"].append(updated)
        answer = api.put(path, found)
        assert answer.code == 200, answer.text
        conditions = answer.json["status"]["conditions"]
        assert [one["message"] for one in conditions][-1] == "updated"
        patched = {**updated, "type": "StatusPatched", "message": "patched"}
        answer = api.patch(path, {"status": {"conditions": [*conditions, patched]}})
        assert answer.code == 200, answer.text
        messages = [one["message"] for one in answer.json["status"]["conditions"]]
        assert messages[-2:] == ["updated", "patched"]
        assert "Established" in [one["type"] for one in answer.json["status"]["conditions"]]


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for CRD "
    "without validation schema [Conformance]",
)
def test_publishes_a_crd_without_validation_schema(
    api: RawApi, server: ThreadedApiServer, tmp_path: Path, namespace: str
) -> None:
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    with established(api, namespace, definition()) as foos:
        free = foos.obj("test-foo", spec={"any": [{"unknown": 1}]}, odd=True)
        for verb in ("create", "apply"):
            kubectl(verb, "-f", "-", stdin=json.dumps(free))
        kubectl("delete", f"foos.{foos.group}", "test-foo")
        explained = kubectl("explain", "foos", f"--api-version={foos.group}/v1")
        lines = [line.split() for line in explained.splitlines()]
        assert ["KIND:", "Foo"] in lines
        assert ["VERSION:", "v1"] in lines
        assert "<empty>" in explained


def applied(api: RawApi, path: str, body: str) -> Answer:
    """Server-side apply of YAML with strict field validation."""
    headers = {"Content-Type": "application/apply-patch+yaml"}
    query = "fieldManager=field_validation&fieldValidation=Strict"
    return api.request("PATCH", f"{path}?{query}", body.encode(), headers)


@pytest.mark.conformance(
    "[sig-api-machinery] FieldValidation should detect duplicates in a CR when preserving unknown "
    "fields [Conformance]",
)
def test_should_detect_duplicates_in_a_cr_when_preserving_unknown_fields(
    api: RawApi, namespace: str
) -> None:
    with established(api, namespace, definition(version(schema=WITH_TEMPLATE))) as foos:
        body = f"""
apiVersion: {foos.group}/v1
kind: Foo
metadata:
  name: mytest
spec:
  unknown: uk1
  unknownDup: ud1
  unknownDup: ud2
  knownField1: kf1
  knownField1: kf2
"""
        refused = applied(api, foos.path("mytest"), body)
        assert refused.code == 400, refused.text
        for line, key in ((9, "unknownDup"), (11, "knownField1")):
            assert f'line {line}: key "{key}" already set in map' in refused.message
        twice = b'{"apiVersion":"%s/v1","kind":"Foo","metadata":{"name":"a"},'
        twice = twice % foos.group.encode() + b'"spec":{"dup":1,"dup":2}}'
        posted = api.post(f"{foos.path()}?fieldValidation=Strict", twice)
        assert 'strict decoding error: duplicate field "spec.dup"' in posted.message


@pytest.mark.conformance(
    "[sig-api-machinery] FieldValidation should detect unknown metadata fields in both the root "
    "and embedded object of a CR [Conformance]",
)
def test_should_detect_unknown_metadata_fields_in_both_the_root_and_embedded_object_of_a_cr(
    api: RawApi, namespace: str
) -> None:
    with established(api, namespace, definition(version(schema=WITH_TEMPLATE))) as foos:
        template = {
            "apiVersion": "foo/v1",
            "kind": "Sub",
            "metadata": {"unknownSubMeta": "unknown", "name": "subobject"},
        }
        obj = foos.obj("mytest", spec={"template": template, "knownField1": "val1"})
        obj["metadata"]["unknownMeta"] = "unknown"
        refused = applied(api, foos.path("mytest"), json.dumps(obj))
        for field in (".metadata.unknownMeta", ".spec.template.metadata.unknownSubMeta"):
            assert f"{field}: field not declared in schema" in refused.message
        posted = api.post(f"{foos.path()}?fieldValidation=Strict", obj)
        for name in ("metadata.unknownMeta", "spec.template.metadata.unknownSubMeta"):
            assert f'unknown field "{name}"' in posted.message
