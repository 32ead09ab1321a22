"""Conformance: "should support ... API operations" of the kinds that extend the API.

[sig-api-machinery] ValidatingAdmissionPolicy should support ValidatingAdmissionPolicy API
operations; ... ValidatingAdmissionPolicyBinding API operations; AdmissionWebhook should be able to
create and update validating (mutating) webhook configurations with match conditions;
[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass, ResourceClaim, ResourceClaimTemplate,
ResourceSlice.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from control_plane.api.resources import (
    DEVICECLASSES,
    MUTATINGWEBHOOKCONFIGURATIONS,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
    Resource,
)
from tests.control_plane.apiserver.minimal_objects import minimal_object, unused_name
from tests.support.raw_api import RawApi

Object = dict[str, Any]
Change = Callable[[Object], None]


def allow_failure(obj: Object) -> None:
    obj["spec"]["failurePolicy"] = "Ignore"


def warn_only(obj: Object) -> None:
    obj["spec"]["validationActions"] = ["Warn"]


def add_match_condition(obj: Object) -> None:
    obj["webhooks"][0]["matchConditions"] = [{"name": "c", "expression": "true"}]


def select_nothing(obj: Object) -> None:
    obj["spec"]["selectors"] = [{"cel": {"expression": "false"}}]


def renew_pool(obj: Object) -> None:
    obj["spec"]["pool"]["generation"] = 5


OPERATIONS: list[tuple[Resource, Change]] = [
    (DEVICECLASSES, select_nothing),
    (RESOURCESLICES, renew_pool),
    (MUTATINGWEBHOOKCONFIGURATIONS, add_match_condition),
    (VALIDATINGADMISSIONPOLICIES, allow_failure),
    (VALIDATINGADMISSIONPOLICYBINDINGS, warn_only),
    (VALIDATINGWEBHOOKCONFIGURATIONS, add_match_condition),
]


def next_event(events: Iterator[Object], name: str) -> str:
    return next(str(e["type"]) for e in events if e["object"]["metadata"]["name"] == name)


@pytest.mark.conformance(
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]",
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice [Conformance]",
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should "
    "support ValidatingAdmissionPolicy API operations [Conformance]",
    "[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should "
    "support ValidatingAdmissionPolicyBinding API operations [Conformance]",
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to "
    "create and update mutating webhook configurations with match conditions [Conformance]",
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to "
    "create and update validating webhook configurations with match conditions "
    "[Conformance]",
)
@pytest.mark.parametrize(
    ("resource", "change"), OPERATIONS, ids=lambda value: getattr(value, "plural", "")
)
def test_should_support_api_operations(
    api: RawApi, namespace: str, resource: Resource, change: Change
) -> None:
    collection, name = resource.path(namespace), unused_name(resource)
    created = api.post(collection, minimal_object(resource, name, namespace))
    assert created.code == 201, created.text
    version, one = created.json["metadata"]["resourceVersion"], resource.path(namespace, name)
    assert created.json["metadata"].get("generation") == 1
    with contextlib.closing(api.watch(f"{collection}?watch=1&resourceVersion={version}")) as events:
        changed = copy.deepcopy(created.json)
        change(changed)
        updated = api.put(one, changed)
        assert updated.code == 200, updated.text
        assert updated.json["metadata"]["generation"] == 2
        assert next_event(events, name) == "MODIFIED"
        patched = api.patch(one, {"metadata": {"annotations": {"patched": "true"}}})
        assert patched.json["metadata"]["annotations"] == {"patched": "true"}
        assert patched.json["metadata"]["generation"] == 2
        assert next_event(events, name) == "MODIFIED"
        assert api.delete(f"{collection}?labelSelector=mine%3Dyes").code == 200
        assert next_event(events, name) == "DELETED"
    assert api.get(one).code == 404


@pytest.mark.conformance(
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim [Conformance]",
    "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate [Conformance]",
)
@pytest.mark.parametrize("resource", [RESOURCECLAIMS, RESOURCECLAIMTEMPLATES])
def test_crud_of_claims(api: RawApi, namespace: str, resource: Resource) -> None:
    collection, one = resource.path(namespace), resource.path(namespace, "c")
    created = api.post(collection, minimal_object(resource, "c", namespace))
    assert created.code == 201, created.text
    assert "generation" not in created.json["metadata"]
    patched = api.patch(one, {"metadata": {"labels": {"a": "b"}}})
    assert patched.json["metadata"]["labels"]["a"] == "b"
    assert api.put(one, patched.json).code == 200
    other = api.patch(one, {"spec": {"devices": None, "spec": None}})
    assert (other.code, other.json["details"]["causes"][0]["field"]) == (422, "spec")
    assert [item["metadata"]["name"] for item in api.get(collection).json["items"]] == ["c"]
    assert api.delete(collection).code == 200
    assert api.get(one).code == 404


def test_status_of_a_claim(api: RawApi, namespace: str) -> None:
    collection = RESOURCECLAIMS.path(namespace)
    api.post(collection, minimal_object(RESOURCECLAIMS, "c", namespace))
    result = {"request": "r", "driver": "a.example", "pool": "p", "device": "d"}
    status = {"allocation": {"devices": {"results": [result]}}}
    patched = api.patch(f"{collection}/c/status", {"status": status})
    assert patched.code == 200, patched.text
    assert api.get(f"{collection}/c").json["status"] == status
    again = api.patch(f"{collection}/c", {"status": {"allocation": None}})
    assert again.json["status"] == status


def test_administrators_devices_need_a_label_of_the_namespace(api: RawApi, namespace: str) -> None:
    claim = minimal_object(RESOURCECLAIMS, "c", namespace)
    exactly = {"deviceClassName": "c", "adminAccess": True}
    claim["spec"] = {"devices": {"requests": [{"name": "r", "exactly": exactly}]}}
    collection = RESOURCECLAIMS.path(namespace)
    refused = api.post(collection, claim)
    assert refused.code == 422
    assert refused.message.endswith(
        "admin access to devices requires the `resource.kubernetes.io/admin-access: true` label "
        "on the containing namespace"
    )
    label = {"resource.kubernetes.io/admin-access": "true"}
    api.patch(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": label}})
    api.get("/api/v1/namespaces")
    assert api.post(collection, claim).code == 201


def test_status_of_an_admission_policy(api: RawApi, namespace: str) -> None:
    resource, name = VALIDATINGADMISSIONPOLICIES, unused_name(VALIDATINGADMISSIONPOLICIES)
    sent = minimal_object(resource, name, namespace)
    created = api.post(resource.path(), {**sent, "status": {"observedGeneration": 7}}).json
    assert not created.get("status")
    status = resource.path(name=name, subresource="status")
    condition = {
        "type": "Checked",
        "status": "True",
        "reason": "Done",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    patched = api.patch(status, {"status": {"conditions": [condition]}, "spec": {"variables": []}})
    assert patched.code == 200, patched.text
    assert patched.json["status"]["conditions"] == [condition]
    assert patched.json["spec"] == created["spec"]
    assert api.get(status).json == patched.json
    wrong = api.patch(status, {"status": {"conditions": [{**condition, "reason": ""}]}})
    assert "status.conditions[0].reason: Required value" in wrong.message
    api.delete(resource.path(name=name))
