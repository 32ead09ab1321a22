"""Conformance: discovery and field validation, tests named after what the upstream suite checks.

OpenAPI and discovery as clients keep them, by ETag and by the hash in the URL, are here too.
"""

import hashlib
import json
from typing import Any

import pytest
from kubernetes import client, config

from control_plane.api.discovery import AGGREGATED_MEDIA_TYPE
from tests.control_plane.apiserver.objects import deployment
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

AGGREGATED = "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io"
LOCATED = """\
apps/v1 deployments
apps/v1 statefulsets
authentication.k8s.io/v1 tokenreviews
authorization.k8s.io/v1 subjectaccessreviews
autoscaling/v1 horizontalpodautoscalers
autoscaling/v2 horizontalpodautoscalers
batch/v1 cronjobs
certificates.k8s.io/v1 certificatesigningrequests
coordination.k8s.io/v1 leases
discovery.k8s.io/v1 endpointslices
events.k8s.io/v1 events
networking.k8s.io/v1 ingresses
node.k8s.io/v1 runtimeclasses
policy/v1 poddisruptionbudgets
rbac.authorization.k8s.io/v1 clusterroles
scheduling.k8s.io/v1 priorityclasses
storage.k8s.io/v1 csinodes
"""
OPENAPI_PROTOBUF = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture
def official(server: ThreadedApiServer) -> client.ApiClient:
    connect: Any = config.new_client_from_config  # it has no types
    made: client.ApiClient = connect(str(server.kubeconfig))
    return made


@pytest.mark.conformance(
    "[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup "
    "[Conformance]",
)
def test_discovery_should_validate_preferred_version_for_each_api_group(
    official: client.ApiClient, api: RawApi
) -> None:
    groups = client.ApisApi(official).get_api_versions().groups
    assert {"apps", "batch", "policy", "rbac.authorization.k8s.io"} <= {g.name for g in groups}
    for group in groups:
        offered = [version.group_version for version in group.versions]
        preferred: Any = group.preferred_version
        assert preferred.group_version in offered
        found = api.get(f"/apis/{group.name}").json
        assert found["preferredVersion"]["groupVersion"] == preferred.group_version


@pytest.mark.conformance(
    "[sig-api-machinery] Discovery should locate the groupVersion and a resource within "
    "each APIGroup [Conformance]",
)
def test_discovery_should_locate_the_group_version_and_a_resource_within_each_api_group(
    api: RawApi,
) -> None:
    for line in LOCATED.splitlines():
        group_version, plural = line.split()
        group, version = group_version.split("/")
        assert group in [found["name"] for found in api.get("/apis").json["groups"]]
        assert api.get(f"/apis/{group}").json["name"] == group
        listed = api.get(f"/apis/{group}/{version}").json
        assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", f"{group}/{version}")
        assert plural in [resource["name"] for resource in listed["resources"]]


@pytest.mark.conformance(
    "[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery "
    "endpoint Accept headers [Conformance]",
)
@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated_discovery_should_support_raw_aggregated_discovery_endpoint_accept_headers(
    api: RawApi, path: str
) -> None:
    legacy = {"/api": "APIVersions", "/apis": "APIGroupList"}[path]
    found = api.get(path, AGGREGATED)
    assert found.headers["Content-Type"] == AGGREGATED_MEDIA_TYPE
    assert (found.json["kind"], found.json["apiVersion"]) == (
        "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2",
    )  # fmt: skip
    assert api.get(path, "application/json").json["kind"] == legacy
    assert api.get(path, f"{AGGREGATED},application/json").json["kind"] == found.json["kind"]
    unknown = AGGREGATED.replace("v=v2", "v=v9")
    assert api.get(path, f"{unknown},application/json").json["kind"] == legacy
    assert api.get(path, "*/*").json["kind"] == legacy


@pytest.mark.conformance(
    "[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface "
    "[Conformance]",
)
@pytest.mark.parametrize("path", ["/api", "/apis", "/openapi/v2", "/openapi/v3"])
def test_aggregated_discovery_should_support_aggregated_discovery_interface(
    api: RawApi, path: str
) -> None:
    accept = AGGREGATED if path.startswith("/api") else "application/json"
    first = api.get(path, accept)
    tag = first.headers["ETag"]
    again = api.request("GET", path, headers={"Accept": accept, "If-None-Match": tag})
    assert (again.code, again.text, again.headers["ETag"]) == (304, "", tag)
    other = api.request("GET", path, headers={"Accept": accept, "If-None-Match": '"other"'})
    assert (other.code, other.headers["ETag"]) == (200, tag)
    assert "Accept" in first.headers["Vary"]


def test_open_api_documents_are_kept_by_the_hash_in_their_url(api: RawApi) -> None:
    for name, entry in api.get("/openapi/v3").json["paths"].items():
        url = entry["serverRelativeURL"]
        document = api.get(url)
        digest = hashlib.sha512(document.text.encode()).hexdigest().upper()
        assert url == f"/openapi/v3/{name}?hash={digest}"
        assert document.headers["Cache-Control"] == "public, immutable"
        moved = api.get(f"/openapi/v3/{name}?hash=old")
        assert (moved.code, moved.headers["Location"]) == (301, url)
        kept = {"If-None-Match": document.headers["ETag"]}
        assert api.request("GET", f"/openapi/v3/{name}", headers=kept).code == 304
        assert api.request("GET", url, headers=kept).code == 304


def test_generated_clients_find_groups_and_resources(official: client.ApiClient) -> None:
    """They ask with a slash at the end."""
    assert client.AppsApi(official).get_api_group().name == "apps"
    for one, plural in ((client.AppsV1Api, "deployments"), (client.CoreV1Api, "pods")):
        assert plural in {row.name for row in one(official).get_api_resources().resources}
    assert client.CoreApi(official).get_api_versions().versions == ["v1"]
    assert client.VersionApi(official).get_code().minor == "35"


def test_the_index_names_what_is_served(api: RawApi) -> None:
    paths = api.get("/").json["paths"]
    assert paths == sorted(paths)
    wanted = ("/api/v1", "/apis/", "/apis/apps", "/apis/apps/v1", "/livez/etcd", "/metrics")
    assert {*wanted, "/openapi/v2", "/openid/v1/jwks", "/version"} <= set(paths)
    assert [path for path in paths if api.get(path).code != 200] == []


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (OPENAPI_PROTOBUF, OPENAPI_PROTOBUF),
        (OPENAPI_PROTOBUF.replace("v3.v1", "v3@v1"), OPENAPI_PROTOBUF),
        (f"application/json;q=0.9,{OPENAPI_PROTOBUF}", OPENAPI_PROTOBUF),
        ("application/*", "application/json"),
    ],
)
def test_open_api_v3_comes_in_protobuf_too(api: RawApi, accept: str, answered: str) -> None:
    url = api.get("/openapi/v3").json["paths"]["apis/policy/v1"]["serverRelativeURL"]
    encoded = api.get(url, accept)
    assert (encoded.code, encoded.headers["Content-Type"]) == (200, answered)
    assert encoded.headers["ETag"] == api.get(url).headers["ETag"]
    assert "Accept" in encoded.headers["Vary"]


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3/apis/policy/v1"])
def test_open_api_in_what_is_not_offered_is_not_acceptable(api: RawApi, path: str) -> None:
    refused = api.get(path, "application/cbor")
    assert (refused.code, refused.reason) == (406, "NotAcceptable")
    assert "application/com.github.proto-openapi.spec.v" in refused.message


@pytest.mark.conformance(
    "[sig-api-machinery] Servers with support for Table transformation should return a 406 "
    "for a backend which does not implement metadata [Conformance]",
)
def test_servers_with_support_for_table_transformation_should_return_a_406_for_a_backend_which_does_not_implement_metadata(  # noqa: E501
    api: RawApi,
) -> None:
    review = {
        "kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
        "spec": {"nonResourceAttributes": {"verb": "get", "path": "/version"}},
    }  # fmt: skip
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = api.request("POST", path, review, {"Accept": TABLE})
    assert (answer.code, answer.reason) == (406, "NotAcceptable")


def doubtful(**metadata: Any) -> bytes:
    """A deployment with an unknown field, an unknown one twice, and a known one twice."""
    body = json.dumps(deployment("d")).encode()
    spoilt = (
        b'"spec": {"unknown1": 1, "paused": true, '
        b'"unknownDupe": 1, "unknownDupe": 2, "paused": false, '
    )
    named = json.dumps(metadata).encode()[1:-1]
    return body.replace(b'"spec": {', spoilt, 1).replace(
        b'{"name": "d"}', b'{"name": "d", %s}' % named
    )


FINDINGS = [
    'unknown field "spec.unknown1"',
    'unknown field "spec.unknownDupe"',
    'duplicate field "spec.paused"',
]


@pytest.mark.conformance(
    "[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a "
    "typed object [Conformance]",
)
@pytest.mark.parametrize("method", ["POST", "PUT", "merge", "strategic"])
def test_field_validation_should_detect_unknown_and_duplicate_fields_of_a_typed_object(
    api: RawApi, namespace: str, method: str
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    media_type = "application/json"
    body = doubtful(labels={"a": "b"})
    if method != "POST":
        assert api.post(path, deployment("d")).code == 201
        path += "/d"
    if method in ("merge", "strategic"):
        kind = {"merge": "merge-patch", "strategic": "strategic-merge-patch"}[method]
        method, media_type = "PATCH", f"application/{kind}+json"
    headers = {"Content-Type": media_type}
    strict = api.request(method, f"{path}?fieldValidation=Strict&dryRun=All", body, headers)
    assert strict.code == (422 if method == "PATCH" else 400)
    assert "strict decoding error: " in strict.message
    assert all(finding in strict.message for finding in FINDINGS)
    warned = api.request(method, f"{path}?fieldValidation=Warn&dryRun=All", body, headers)
    assert warned.code in (200, 201)
    for finding in FINDINGS:
        quoted = finding.replace('"', '\\"')
        assert f'299 - "{quoted}"' in warned.headers["Warning"]
    ignored = api.request(method, f"{path}?fieldValidation=Ignore&dryRun=All", body, headers)
    assert (ignored.code, ignored.headers.get("Warning")) == (warned.code, None)
    assert ignored.json["spec"].get("paused", False) is False


@pytest.mark.conformance(
    "[sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed "
    "object [Conformance]",
)
def test_field_validation_should_detect_unknown_metadata_fields_of_a_typed_object(
    api: RawApi, namespace: str
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    obj = deployment("d")
    obj["metadata"]["unknownMeta"] = "x"
    strict = api.post(f"{path}?fieldValidation=Strict", obj)
    assert (strict.code, strict.message) == (
        400,
        'Deployment in version "v1" cannot be handled as a Deployment: '
        'strict decoding error: unknown field "metadata.unknownMeta"',
    )
    warned = api.post(path, obj)
    assert warned.headers["Warning"] == '299 - "unknown field \\"metadata.unknownMeta\\""'
    applied = api.apply(f"{path}/e", {**obj, "metadata": {"name": "e", "unknownMeta": "x"}})
    assert (applied.code, applied.message) == (
        400,
        "failed to create typed patch object (/e; apps/v1, Kind=Deployment): "
        ".metadata.unknownMeta: field not declared in schema",
    )
