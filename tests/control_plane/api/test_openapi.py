"""OpenAPI v2 and v3: paths for what is served, definitions that are complete, hashes that hold."""

import hashlib
import json
from typing import Any

import pytest

from control_plane.api.openapi.documents import OpenApiDocuments
from control_plane.api.openapi.operations import operations
from control_plane.api.resources import BUILT_IN, RESOURCES, Resource, ResourceSet

VERSION = "v1.35.0"


@pytest.fixture(scope="module")
def documents() -> OpenApiDocuments:
    return OpenApiDocuments(BUILT_IN, VERSION)


@pytest.fixture(scope="module")
def swagger(documents: OpenApiDocuments) -> Any:
    return json.loads(documents.v2().body)


@pytest.fixture(scope="module")
def apps(documents: OpenApiDocuments) -> Any:
    found = documents.v3("apis/apps/v1")
    assert found is not None
    return json.loads(found.body)


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_v2_has_every_definition_that_it_mentions(swagger: Any) -> None:
    assert swagger["info"] == {"title": "Kubernetes", "version": VERSION}
    names = {reference.removeprefix("#/definitions/") for reference in references(swagger)}
    assert names <= set(swagger["definitions"])
    for row in RESOURCES:
        kinds = [
            d.get("x-kubernetes-group-version-kind", []) for d in swagger["definitions"].values()
        ]
        wanted = {"group": row.group, "version": row.version, "kind": row.kind}
        assert any(wanted in kind for kind in kinds), row


def test_v3_has_every_schema_that_it_mentions(documents: OpenApiDocuments) -> None:
    for path in json.loads(documents.v3_index().body)["paths"]:
        found = documents.v3(path)
        assert found is not None
        document = json.loads(found.body)
        names = {r.removeprefix("#/components/schemas/") for r in references(document)}
        assert names <= set(document["components"]["schemas"])


def test_the_index_names_each_document_by_its_hash(documents: OpenApiDocuments) -> None:
    paths = json.loads(documents.v3_index().body)["paths"]
    versions = {row.root_path.removeprefix("/") for row in RESOURCES}
    groups = {f"apis/{row.group}" for row in RESOURCES if row.group}
    general = {"api", "apis", "version", ".well-known/openid-configuration", "openid/v1/jwks"}
    assert set(paths) == versions | groups | general
    for path, entry in paths.items():
        found = documents.v3(path)
        assert found is not None
        assert hashlib.sha512(found.body).hexdigest().upper() == found.hash
        assert entry == {"serverRelativeURL": f"/openapi/v3/{path}?hash={found.hash}"}


def test_documents_are_built_once_and_alike_everywhere(documents: OpenApiDocuments) -> None:
    assert documents.v2() is documents.v2()
    assert OpenApiDocuments(BUILT_IN, VERSION).v2() == documents.v2()
    assert documents.v3("apis/nonsense/v1") is None


def test_operation_ids_are_upstreams_and_unique(swagger: Any) -> None:
    ids = [
        operation["operationId"]
        for path in swagger["paths"].values()
        for operation in path.values()
    ]
    assert len(ids) == len(set(ids))
    assert {
        "listCoreV1PodForAllNamespaces", "listCoreV1NamespacedPod", "createCoreV1NamespacedPod",
        "deleteCoreV1CollectionNamespacedPod", "readCoreV1Node", "replaceCoreV1NodeStatus",
        "patchAppsV1NamespacedDeploymentScale", "readCoordinationV1NamespacedLease",
        "connectCoreV1GetNamespacedPodExec", "readCoreV1NamespacedPodLog",
    } <= set(ids)  # fmt: skip


def test_operations_say_what_kubectl_looks_for(apps: Any) -> None:
    patch = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-action"] == "patch"
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "apps", "version": "v1", "kind": "Deployment",
    }  # fmt: skip
    assert {"fieldValidation", "fieldManager", "dryRun", "force"} <= {
        parameter["name"] for parameter in patch["parameters"]
    }


def test_discovery_is_documented(documents: OpenApiDocuments, swagger: Any, apps: Any) -> None:
    found = {
        "/version/": "getCodeVersion", "/apis/": "getAPIVersions", "/apis/apps/": "getAppsAPIGroup",
        "/api/v1/": "getCoreV1APIResources", "/apis/apps/v1/": "getAppsV1APIResources",
        "/apis/rbac.authorization.k8s.io/v1/": "getRbacAuthorizationV1APIResources",
    }  # fmt: skip
    for path, operation_id in found.items():
        assert swagger["paths"][path]["get"]["operationId"] == operation_id
    assert "/apis/apps/v1/" in apps["paths"]
    version = documents.v3("version")
    assert version is not None
    info = json.loads(version.body)
    schemas = info["components"]["schemas"]
    assert "gitVersion" in schemas["io.k8s.apimachinery.pkg.version.Info"]["required"]
    assert "x-kubernetes-action" not in info["paths"]["/version/"]["get"]


def test_v3_keeps_what_stands_beside_a_reference(apps: Any) -> None:
    schemas = apps["components"]["schemas"]
    strategy = schemas["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"]
    target = "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy"
    assert strategy["allOf"] == [{"$ref": target}]
    assert strategy["x-kubernetes-patch-strategy"] == "retainKeys"
    quantity = schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"]
    assert quantity["oneOf"] == [{"type": "string"}, {"type": "number"}]


def test_scale_has_a_body_of_its_own_kind(apps: Any) -> None:
    path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"
    put = apps["paths"][path]["put"]
    assert put["x-kubernetes-group-version-kind"]["group"] == "autoscaling"
    body = put["requestBody"]["content"]["*/*"]["schema"]
    assert body == {"$ref": "#/components/schemas/io.k8s.api.autoscaling.v1.Scale"}


def test_an_operation_names_every_format_that_it_is_served_in(apps: Any) -> None:
    path = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments"]
    protobuf = "application/vnd.kubernetes.protobuf"
    assert set(path["get"]["responses"]["200"]["content"]) == {
        "application/json", "application/yaml", "application/json;stream=watch",
        protobuf, f"{protobuf};stream=watch",
    }  # fmt: skip
    assert set(path["post"]["responses"]["201"]["content"]) == {
        "application/json", "application/yaml", protobuf,
    }  # fmt: skip


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: row.plural)
def test_every_verb_has_its_operation(row: Resource) -> None:
    actions = {
        op.action
        for op in operations(row)
        if op.group_version_kind is not None and op.group_version_kind[2] == row.kind
    }
    expected = {
        "create": "post", "update": "put", "get": "get", "list": "list", "patch": "patch",
        "delete": "delete", "deletecollection": "deletecollection", "watch": "watchlist",
    }  # fmt: skip
    for verb, action in expected.items():
        assert (action in actions) is (verb in row.verbs), verb


def test_the_deprecated_watch_paths_are_documented(swagger: Any, apps: Any) -> None:
    found = {
        path: (shown["get"]["operationId"], shown["get"]["x-kubernetes-action"])
        for path, shown in swagger["paths"].items()
        if "/watch/" in path and path.removesuffix("/{name}").endswith(("/leases", "/nodes"))
    }
    leases = "/apis/coordination.k8s.io/v1/watch"
    assert found == {
        "/api/v1/watch/nodes": ("watchCoreV1NodeList", "watchlist"),
        "/api/v1/watch/nodes/{name}": ("watchCoreV1Node", "watch"),
        f"{leases}/leases": ("watchCoordinationV1LeaseListForAllNamespaces", "watchlist"),
        f"{leases}/namespaces/{{namespace}}/leases":
            ("watchCoordinationV1NamespacedLeaseList", "watchlist"),
        f"{leases}/namespaces/{{namespace}}/leases/{{name}}":
            ("watchCoordinationV1NamespacedLease", "watch"),
    }  # fmt: skip
    shown = apps["paths"]["/apis/apps/v1/watch/namespaces/{namespace}/deployments/{name}"]
    assert [parameter["name"] for parameter in shown["parameters"]] == ["namespace", "name"]
    events = shown["get"]["responses"]["200"]["content"]["application/json;stream=watch"]["schema"]
    event = "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent"
    assert events == {"$ref": f"#/components/schemas/{event}"}
    assert event in apps["components"]["schemas"]
    unwatched = {path for path in swagger["paths"] if "/watch/" in path and "tokenreviews" in path}
    assert not unwatched


def test_deletions_are_documented_as_they_are_answered(swagger: Any) -> None:
    def answered(path: str) -> str:
        shown = swagger["paths"][path]["delete"]["responses"]["200"]["schema"]["$ref"]
        return str(shown).rpartition(".")[2]

    assert answered("/api/v1/namespaces/{namespace}/pods/{name}") == "Pod"
    assert answered("/apis/storage.k8s.io/v1/storageclasses/{name}") == "StorageClass"
    assert answered("/api/v1/namespaces/{name}") == "Status"
    assert answered("/apis/apps/v1/namespaces/{namespace}/deployments/{name}") == "Status"
    assert answered("/api/v1/namespaces/{namespace}/pods") == "Status"


def test_a_resource_of_the_future_is_documented_without_a_definition() -> None:
    widgets = Resource("example.com", "v1", "Widget", "widgets", False, storage="example.com/w")
    found = OpenApiDocuments(BUILT_IN.extended(widgets), VERSION).v3("apis/example.com/v1")
    assert found is not None
    assert "/apis/example.com/v1/widgets/{name}" in json.loads(found.body)["paths"]


def test_a_path_is_of_one_resource() -> None:
    """So that what v2 says of each can be kept by itself."""
    of: dict[str, Resource] = {}
    for row in RESOURCES:
        for operation in operations(row):
            assert of.setdefault(operation.path, row) is row, operation.path


def test_v2_is_the_same_whatever_was_served_before(documents: OpenApiDocuments) -> None:
    fewer = ResourceSet(BUILT_IN.rows[:-20])
    after = OpenApiDocuments(fewer, VERSION).of(BUILT_IN)
    assert after.v2().hash == documents.v2().hash
    assert documents.of(fewer).v2().hash == OpenApiDocuments(fewer, VERSION).v2().hash
