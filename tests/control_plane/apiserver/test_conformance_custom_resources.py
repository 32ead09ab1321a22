"""Kubernetes' conformance tests of CustomResourceDefinitions, by the names of what they test."""

import json
import subprocess
from pathlib import Path
from typing import Any

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
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
BARS = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "description": "Specification of Foo",
            "properties": {
                "bars": {
                    "type": "array",
                    "description": "List of Bars and their specs.",
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string", "description": "Name of Bar."},
                            "age": {"type": "string", "description": "Age of Bar."},
                            "feeling": {"type": "string", "enum": ["Great", "Down"]},
                        },
                    },
                }
            },
        },
        "status": {"type": "object", "properties": {"available": {"type": "boolean"}}},
    },
}


def published(api: RawApi, group: str, at: str = "v1") -> Object:
    """The definitions of a group version, by kind, as OpenAPI v3 has them; {} for none."""
    answer = api.get(f"/openapi/v3/apis/{group}/{at}")
    if answer.code == 404:
        return {}
    schemas = answer.json["components"]["schemas"]
    prefix = ".".join([*reversed(group.split(".")), at, ""])
    return {name.removeprefix(prefix): one for name, one in schemas.items()
            if name.startswith(prefix)}  # fmt: skip


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] "
    "should include custom resource definition resources in discovery documents "
    "[Conformance]",
)
def test_should_include_custom_resource_definition_resources_in_discovery_documents(
    api: RawApi, namespace: str
) -> None:
    groups = {group["name"]: group for group in api.get("/apis").json["groups"]}
    assert "apiextensions.k8s.io" in groups
    resources = api.get("/apis/apiextensions.k8s.io/v1").json["resources"]
    assert "customresourcedefinitions" in [one["name"] for one in resources]
    with established(api, namespace, definition(version(), version("v2", storage=False))) as foos:
        (group,) = [one for one in api.get("/apis").json["groups"] if one["name"] == foos.group]
        assert [one["version"] for one in group["versions"]] == ["v2", "v1"]
        (resource,) = api.get(f"/apis/{foos.group}/v1").json["resources"]
        assert (resource["name"], resource["kind"], resource["singularName"]) == (
            "foos", "Foo", "foo",
        )  # fmt: skip
        assert resource["verbs"] == [
            "delete", "deletecollection", "get", "list", "patch", "create", "update", "watch",
        ]  # fmt: skip
    assert api.get(f"/apis/{foos.group}/v1").code == 404


@pytest.mark.conformance(
    "[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface "
    "for CRDs [Conformance]",
    "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery "
    "request for CRDs [Conformance]",
)
def test_aggregated_discovery_interface_for_crds(api: RawApi, namespace: str) -> None:
    with established(api, namespace, definition()) as foos:
        items = api.get("/apis", AGGREGATED).json["items"]
        (found,) = [one for one in items if one["metadata"]["name"] == foos.group]
        (served,) = found["versions"]
        assert served["freshness"] == "Current"
        assert [one["resource"] for one in served["resources"]] == ["foos"]
        assert served["resources"][0]["responseKind"]["kind"] == "Foo"


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] "
    "custom resource defaulting for requests and from storage works [Conformance]",
)
def test_custom_resource_defaulting_for_requests_and_from_storage_works(
    api: RawApi, namespace: str
) -> None:
    text = {"type": "string"}
    schema = {"type": "object", "properties": {"a": {**text, "default": "A"}, "b": text}}
    with established(api, namespace, definition(version(schema=schema))) as foos:
        made = api.post(foos.path(), foos.obj("a")).json
        assert (made["a"], "b" in made) == ("A", False)
        changed = foos.definition()
        fields = changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        fields["b"]["default"] = "B"
        assert api.put(f"{DEFINITIONS}/{foos.name}", changed).code == 200
        assert api.get(foos.path("a")).json["b"] == "B"
        assert [item["b"] for item in api.get(foos.path()).json["items"]] == ["B"]
        del fields["a"]["default"]
        changed["metadata"] = foos.definition()["metadata"]
        assert api.put(f"{DEFINITIONS}/{foos.name}", changed).code == 200
        patched = api.patch(foos.path("a"), {"a": None, "b": "C"}).json
        assert ("a" in patched, patched["b"]) == (False, "C")


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin] "
    "CustomResourceDefinition Watch watch on custom resource definition objects "
    "[Conformance]",
)
def test_watch_on_custom_resource_definition_objects(api: RawApi, namespace: str) -> None:
    with established(api, namespace, definition()) as foos:
        start = api.get(foos.path()).json["metadata"]["resourceVersion"]
        api.post(foos.path(), foos.obj("a", x=1))
        api.patch(foos.path("a"), {"x": 2})
        api.delete(foos.path("a"))
        query = f"watch=1&resourceVersion={start}&timeoutSeconds=2"
        lines = api.get(f"{foos.path()}?{query}").text.splitlines()
        events = [json.loads(line) for line in lines]
        assert [(one["type"], one["object"]["x"]) for one in events] == [
            ("ADDED", 1), ("MODIFIED", 2), ("DELETED", 2),
        ]  # fmt: skip


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for "
    "CRD with validation schema [Conformance]",
)
def test_publishes_a_crd_with_validation_schema(
    api: RawApi, server: ThreadedApiServer, tmp_path: Path, namespace: str
) -> None:
    with established(api, namespace, definition(version(schema=BARS))) as foos:
        root = published(api, foos.group)["Foo"]
        assert root["properties"]["spec"]["description"] == "Specification of Foo"
        assert root["x-kubernetes-group-version-kind"] == [
            {"group": foos.group, "version": "v1", "kind": "Foo"}
        ]
        kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
        right = foos.obj("a", spec={"bars": [{"name": "test-bar", "feeling": "Great"}]})
        kubectl("create", "--validate=true", "-f", "-", stdin=json.dumps(right))
        kubectl("delete", "foos." + foos.group, "a")
        for wrong in ({"bars": [{"name": "x", "unknown": 1}]}, {"bars": [{"age": "1"}]}):
            refused = failing(kubectl, "create", "-f", "-", stdin=foos.obj("a", spec=wrong))
            assert "unknown field" in refused or "Required value" in refused
        explained = kubectl("explain", "foos.spec.bars", f"--api-version={foos.group}/v1")
        assert "List of Bars and their specs." in explained
        missing = failing(kubectl, "explain", "foos.spec.x", f"--api-version={foos.group}/v1")
        assert 'field "x" does not exist' in missing


def failing(kubectl: Kubectl, *words: str, stdin: Object | None = None) -> str:
    """What kubectl says when it fails."""
    try:
        kubectl(*words, stdin=json.dumps(stdin) if stdin is not None else "")
    except (AssertionError, subprocess.CalledProcessError) as error:
        return str(error)
    raise AssertionError(f"{words} did not fail")


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for "
    "CRD preserving unknown fields at the schema root [Conformance]",
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for "
    "CRD preserving unknown fields in an embedded object [Conformance]",
)
def test_publishes_crds_that_take_anything(api: RawApi, namespace: str) -> None:
    embedded = {
        "type": "object",
        "properties": {
            "spec": {**ANYTHING, "x-kubernetes-embedded-resource": True},
        },
    }
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "free": 1}
    with established(api, namespace, definition(version(schema=embedded))) as foos:
        made = api.post(f"{foos.path()}?fieldValidation=Strict", foos.obj("a", spec=obj))
        assert made.json["spec"] == obj, made.text
        bad = {**obj, "metadata": {"name": "x", "odd": 1}}
        refused = api.post(f"{foos.path()}?fieldValidation=Strict", foos.obj("b", spec=bad))
        assert 'unknown field "spec.metadata.odd"' in refused.message
        assert published(api, foos.group)["Foo"]["properties"]["spec"]
    with established(api, namespace, definition(version(schema=ANYTHING))) as foos:
        made = api.post(f"{foos.path()}?fieldValidation=Strict", foos.obj("a", odd={"x": [1]}))
        assert made.json["odd"] == {"x": [1]}, made.text
        assert published(api, foos.group)["Foo"]["x-kubernetes-preserve-unknown-fields"] is True


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for "
    "multiple CRDs of different groups [Conformance]",
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for "
    "multiple CRDs of same group and version but different kinds [Conformance]",
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] works for "
    "multiple CRDs of same group but different versions [Conformance]",
)
def test_publishes_several_kinds_versions_and_groups(api: RawApi, namespace: str) -> None:
    first = definition(version(schema=BARS))
    group = first["spec"]["group"]
    second = definition(version(), group=group, plural="waldos")
    third = definition(version("v4"), group=group, plural="grumps")
    with (
        established(api, namespace, first) as foos,
        established(api, namespace, second),
        established(api, namespace, third),
        established(api, namespace, definition(version())) as other,
    ):
        assert {"Foo", "Waldo"} <= published(api, group).keys()
        assert "Grump" in published(api, group, "v4")
        assert "Foo" in published(api, other.group)
        document = api.get("/openapi/v2").json
        assert f"/apis/{foos.group}/v1/namespaces/{{namespace}}/foos/{{name}}" in document["paths"]


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] removes "
    "definition from spec when one version gets changed to not be served [Conformance]",
    "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] updates "
    "the published spec when one version gets renamed [Conformance]",
)
def test_removes_and_renames_versions(api: RawApi, namespace: str) -> None:
    wanted = definition(version("v3", BARS), version("v2", BARS, storage=False))
    with established(api, namespace, wanted) as foos:
        assert "Foo" in published(api, foos.group, "v2")
        changed = foos.definition()
        changed["spec"]["versions"][1]["served"] = False
        changed = api.put(f"{DEFINITIONS}/{foos.name}", changed).json
        assert "Foo" not in published(api, foos.group, "v2")
        assert api.get(foos.path(version="v2")).code == 404
        assert "Foo" in published(api, foos.group, "v3")
        changed["spec"]["versions"][1] |= {"served": True, "name": "v4"}
        renamed = api.put(f"{DEFINITIONS}/{foos.name}", changed)
        assert renamed.code == 200, renamed.text
        assert "Foo" in published(api, foos.group, "v4")
        assert api.get(foos.path(version="v4")).json["items"] == []


@pytest.mark.conformance(
    "[sig-api-machinery] FieldValidation should create/apply a CR with unknown fields for "
    "CRD with no validation schema [Conformance]",
    "[sig-api-machinery] FieldValidation should create/apply a valid CR for CRD with "
    "validation schema [Conformance]",
    "[sig-api-machinery] FieldValidation should create/apply an invalid CR with extra "
    "properties for CRD with validation schema [Conformance]",
)
def test_field_validation_of_custom_resources(
    api: RawApi, server: ThreadedApiServer, tmp_path: Path, namespace: str
) -> None:
    """FieldValidation: CRs with and without unknown fields, created and applied."""
    closed = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"cronSpec": {"type": "string"}}}},
    }
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    with established(api, namespace, definition(version(schema=closed))) as foos:
        kubectl("apply", "-f", "-", stdin=json.dumps(foos.obj("a", spec={"cronSpec": "1"})))
        unknown = foos.obj("b", spec={"cronSpec": "1", "extra": "x"})
        refused = failing(kubectl, "apply", "-f", "-", stdin=unknown)
        assert 'unknown field "spec.extra"' in refused
        ssa = {"Content-Type": "application/apply-patch+yaml"}
        path = f"{foos.path('c')}?fieldManager=me"
        applied = api.request("PATCH", path, {**unknown, "metadata": {"name": "c"}}, ssa)
        assert ".spec.extra: field not declared in schema" in applied.message
    with established(api, namespace, definition()) as foos:
        free = foos.obj("a", spec={"anything": {"goes": 1}})
        kubectl("apply", "--validate=strict", "-f", "-", stdin=json.dumps(free))
        assert api.get(foos.path("a")).json["spec"] == free["spec"]


def test_names_are_disputed_within_a_group(api: RawApi, namespace: str) -> None:
    with established(api, namespace, definition(version())) as foos:
        rival: dict[str, Any] = definition(version(), group=foos.group, plural="rivals")
        rival["spec"]["names"] |= {"kind": "Foo", "listKind": "RivalList", "singular": "rival"}
        name = rival["metadata"]["name"]
        assert api.post(DEFINITIONS, rival).code == 201

        def reasons() -> dict[str, str]:
            status = api.get(f"{DEFINITIONS}/{name}").json["status"]
            return {one["type"]: one["reason"] for one in status["conditions"] or ()}

        wait_until(lambda: len(reasons()) == 2, "it is judged")
        assert reasons() == {"NamesAccepted": "KindConflict", "Established": "NotAccepted"}
        assert api.get(f"/apis/{foos.group}/v1/namespaces/{namespace}/rivals").code == 404
    wait_until(lambda: reasons()["Established"] == "InitialNamesAccepted", "the name is free")
    api.delete(f"{DEFINITIONS}/{name}")
    wait_until(lambda: api.get(f"{DEFINITIONS}/{name}").code == 404, "it is gone")
