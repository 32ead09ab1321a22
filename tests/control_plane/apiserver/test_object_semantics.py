"""What differs between kinds when they are written: one row of SEMANTICS for each of them.

Source: the registry strategies of Kubernetes v1.35.
"""

from typing import Any, NamedTuple

import pytest

from control_plane.api.resources import (
    CUSTOMRESOURCEDEFINITIONS,
    IPADDRESSES,
    NAMESPACES,
    RESOURCES,
    Resource,
)
from tests.control_plane.apiserver.minimal_objects import minimal_object, settled, unused_name
from tests.support.raw_api import Answer, RawApi
from tests.support.wait import wait_until

Object = dict[str, Any]


class Row(NamedTuple):
    """A PUT of an absent object creates it; an update may leave the version out; the object counts
    its generation; deleting without a policy orphans its dependents; a change of labels counts.
    """

    put_creates: bool = False
    may_omit_version: bool = True
    counts: bool = False
    orphans: bool = False
    counts_labels: bool = False


PLAIN, COUNTED = Row(), Row(counts=True)
ADDED_BY_PUT, STRICT = Row(put_creates=True), Row(may_omit_version=False)
STRICT_COUNTED = Row(may_omit_version=False, counts=True)
SEMANTICS = {
    "apiservices": STRICT,
    "clusterrolebindings": ADDED_BY_PUT,
    "clusterroles": ADDED_BY_PUT,
    "certificatesigningrequests": PLAIN,
    "configmaps": PLAIN,
    "controllerrevisions": PLAIN,
    "cronjobs": COUNTED,
    "csidrivers": STRICT,
    "csinodes": STRICT,
    "csistoragecapacities": STRICT,
    "customresourcedefinitions": STRICT_COUNTED,
    "daemonsets": COUNTED,
    "deployments": COUNTED,
    "deviceclasses": COUNTED,
    "endpoints": ADDED_BY_PUT,
    "endpointslices": Row(counts=True, counts_labels=True),
    "events": ADDED_BY_PUT,
    "flowschemas": COUNTED,
    "horizontalpodautoscalers": PLAIN,
    "ingressclasses": COUNTED,
    "ingresses": COUNTED,
    "ipaddresses": PLAIN,
    "jobs": Row(counts=True, orphans=True),
    "leases": Row(put_creates=True, may_omit_version=False),
    "limitranges": ADDED_BY_PUT,
    "mutatingwebhookconfigurations": STRICT_COUNTED,
    "namespaces": PLAIN,
    "networkpolicies": COUNTED,
    "nodes": PLAIN,
    "persistentvolumeclaims": PLAIN,
    "persistentvolumes": PLAIN,
    "poddisruptionbudgets": STRICT_COUNTED,
    "pods": COUNTED,
    "podtemplates": COUNTED,
    "priorityclasses": COUNTED,
    "prioritylevelconfigurations": COUNTED,
    "replicasets": COUNTED,
    "replicationcontrollers": Row(counts=True, orphans=True),
    "resourceclaims": PLAIN,
    "resourceclaimtemplates": PLAIN,
    "resourcequotas": PLAIN,
    "resourceslices": COUNTED,
    "rolebindings": ADDED_BY_PUT,
    "roles": ADDED_BY_PUT,
    "runtimeclasses": Row(put_creates=True, may_omit_version=False),
    "secrets": PLAIN,
    "serviceaccounts": PLAIN,
    "servicecidrs": PLAIN,
    "services": ADDED_BY_PUT,
    "statefulsets": COUNTED,
    "storageclasses": PLAIN,
    "validatingadmissionpolicies": STRICT_COUNTED,
    "validatingadmissionpolicybindings": STRICT_COUNTED,
    "validatingwebhookconfigurations": STRICT_COUNTED,
    "volumeattachments": STRICT,
    "volumeattributesclasses": PLAIN,
}
STORED = [row for row in RESOURCES if row.is_stored]
# no store has a say in this
pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def _each(rows: list[Resource]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("resource", rows, ids=lambda row: f"{row.plural}-{row.version}")


EVERY_KIND = _each(STORED)


class Made(NamedTuple):
    """An object that was just created."""

    path: str
    name: str
    answer: Answer

    @property
    def json(self) -> Object:
        """The object, to be changed at will."""
        found: Object = self.answer.json
        return found


def _make(api: RawApi, namespace: str, resource: Resource, **metadata: Any) -> Made:
    name = unused_name(resource)
    obj = minimal_object(resource, name, namespace)
    obj["metadata"] |= metadata
    answer = api.post(resource.path(namespace), obj)
    assert answer.code == 201, answer.text
    path = resource.path(namespace, name)
    return Made(path, name, settled(api, resource, path, answer))


def _forget(api: RawApi, made: Made) -> None:
    api.patch(made.path, {"metadata": {"finalizers": None}})
    api.delete(made.path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})


@EVERY_KIND
def test_put_creates_where_upstream_lets_it(
    api: RawApi, namespace: str, resource: Resource
) -> None:
    name = unused_name(resource)
    obj, path = minimal_object(resource, name, namespace), resource.path(namespace, name)
    if SEMANTICS[resource.plural].put_creates:
        meant = {**obj, "metadata": {**obj["metadata"], "uid": "somebody"}}
        refused = api.put(path, meant)
        assert (refused.code, refused.reason) == (409, "Conflict")
        assert "Precondition failed: UID in precondition: somebody, UID in object meta: " in (
            refused.message
        )
        assert api.put(path, obj).code == 201
        return
    missing = api.put(path, obj)
    assert (missing.code, missing.reason) == (404, "NotFound")
    assert missing.message == f'{resource.group_resource} "{name}" not found'


@EVERY_KIND
def test_updates_without_and_with_an_old_version(
    api: RawApi, namespace: str, resource: Resource
) -> None:
    made = _make(api, namespace, resource)
    obj = made.json
    version = obj["metadata"].pop("resourceVersion")
    obj["metadata"]["annotations"] = {"changed": "yes"}
    answer = api.put(made.path, obj)
    if SEMANTICS[resource.plural].may_omit_version:
        assert answer.code == 200, answer.text
    else:
        assert (answer.code, answer.reason) == (422, "Invalid")
        assert answer.message == (
            f'{resource.group_resource} "{made.name}" is invalid: metadata.resourceVersion: '
            "Invalid value: 0: must be specified for an update"
        )
        api.patch(made.path, {"metadata": {"annotations": {"changed": "yes"}}})
    obj["metadata"] |= {"resourceVersion": version, "annotations": {"changed": "again"}}
    answer = api.put(made.path, obj)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        f'Operation cannot be fulfilled on {resource.group_resource} "{made.name}": the object '
        "has been modified; please apply your changes to the latest version and try again"
    )
    _forget(api, made)


@EVERY_KIND
def test_what_only_the_server_sets(api: RawApi, namespace: str, resource: Resource) -> None:
    """Uid, times and the generations it counts are the server's; a label counts as no change."""
    row = SEMANTICS[resource.plural]
    foreign = {
        "generation": 7,
        "uid": "mine",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 3,
        "selfLink": "/mine",
    }
    made = _make(api, namespace, resource, **foreign)
    metadata = made.json["metadata"]
    assert metadata["uid"] != "mine"
    assert metadata["creationTimestamp"] > "2020"
    assert not metadata.keys() & {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}
    assert metadata["generation"] == (1 if row.counts else 7)
    changed = api.patch(
        made.path,
        {"metadata": {"labels": {"more": "yes"}, "generation": 9, "creationTimestamp": None}},
    )
    assert changed.code == 200, changed.text
    after = changed.json["metadata"]
    assert after["generation"] == ((2 if row.counts_labels else 1) if row.counts else 7)
    assert after["creationTimestamp"] == metadata["creationTimestamp"]
    other = api.patch(made.path, {"metadata": {"uid": "another"}})
    assert (other.code, other.reason) in ((409, "Conflict"), (422, "Invalid")), other.text
    _forget(api, made)


@_each([row for row in STORED if row != IPADDRESSES])  # their names mean something
def test_a_name_may_be_generated(api: RawApi, namespace: str, resource: Resource) -> None:
    obj = minimal_object(resource, "", namespace)
    obj["metadata"] = {"generateName": f"generated-{unused_name(resource)[2:5]}-"}
    answer = api.post(resource.path(namespace), obj)
    if resource == NAMESPACES or answer.code == 201:
        prefix, name = obj["metadata"]["generateName"], answer.json["metadata"]["name"]
        assert name.startswith(prefix)
        assert len(name) == len(prefix) + 5
        return
    assert "metadata.name" in answer.message or "metadata.generateName" in answer.message


@EVERY_KIND
def test_preconditions_of_a_deletion(api: RawApi, namespace: str, resource: Resource) -> None:
    made = _make(api, namespace, resource)
    uid = made.json["metadata"]["uid"]
    answer = api.delete(made.path, {"preconditions": {"uid": "other"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    if resource == NAMESPACES:
        expected = (
            f'Operation cannot be fulfilled on namespaces "{made.name}": Precondition failed: '
            f"UID in precondition: other, UID in object meta: {uid}"
        )
    else:
        kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
        expected = (
            f'Operation cannot be fulfilled on {kind} "{made.name}": the UID in the precondition '
            f"(other) does not match the UID in record ({uid}). The object might have been "
            "deleted and then recreated"
        )
    assert answer.message == expected
    old = api.delete(made.path, {"preconditions": {"resourceVersion": "1"}})
    assert (old.code, old.reason) == (409, "Conflict")
    assert api.get(made.path).code == 200
    _forget(api, made)


@EVERY_KIND
def test_a_finalizer_holds_every_kind(api: RawApi, namespace: str, resource: Resource) -> None:
    made = _make(api, namespace, resource, finalizers=["example.com/hold"])
    first = api.delete(made.path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    assert first.code == 200, first.text
    marked = api.get(made.path).json["metadata"]
    assert marked["deletionTimestamp"]
    if resource not in (NAMESPACES, CUSTOMRESOURCEDEFINITIONS):
        assert marked["deletionGracePeriodSeconds"] == 0
    again = api.delete(made.path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    assert again.code == 200
    assert api.get(made.path).json["metadata"]["deletionTimestamp"] == marked["deletionTimestamp"]
    more = api.patch(made.path, {"metadata": {"finalizers": ["example.com/hold", "a.example/b"]}})
    assert (more.code, more.reason) == (422, "Invalid")
    assert "no new finalizers can be added if the object is being deleted" in more.message
    assert api.patch(made.path, {"metadata": {"finalizers": None}}).code == 200
    if resource != NAMESPACES:
        assert api.get(made.path).code == 404


@_each([row for row in STORED if row != NAMESPACES])  # these have contents, not dependents
def test_dependents_when_nothing_is_said(api: RawApi, namespace: str, resource: Resource) -> None:
    """Jobs and replication controllers orphan theirs; events take no part in it."""
    made = _make(api, namespace, resource)
    api.patch(made.path, {"metadata": {"finalizers": None}})
    api.delete(made.path)
    if resource == CUSTOMRESOURCEDEFINITIONS:  # which go after their objects
        wait_until(lambda: api.get(made.path).code == 404, "it is gone")
    left = api.get(made.path)
    if not SEMANTICS[resource.plural].orphans:
        assert left.code == 404
        return
    assert left.json["metadata"]["finalizers"] == ["orphan"]
    _forget(api, made)


@_each([row for row in STORED if row.subresource("status")])
def test_spec_and_status_have_endpoints_of_their_own(
    api: RawApi, namespace: str, resource: Resource
) -> None:
    made = _make(api, namespace, resource)
    before = settled(api, resource, made.path, made.answer).json
    mixed = settled(api, resource, made.path, made.answer).json
    mixed["metadata"]["labels"] = {"by": "main"}
    mixed["status"] = {}
    answer = api.put(made.path, mixed)
    assert answer.code == 200, answer.text
    assert answer.json.get("status") == before.get("status")
    mixed = answer.json
    mixed["spec"] = {}
    answer = api.put(f"{made.path}/status", mixed)
    assert answer.code == 200, answer.text
    assert answer.json.get("spec") == before.get("spec")
    assert answer.json["metadata"].get("generation") == before["metadata"].get("generation")
    missing = api.put(f"{resource.path(namespace, unused_name(resource))}/status", mixed)
    assert missing.code in (400, 404)
    _forget(api, made)


def test_an_object_of_no_namespace_loses_the_one_that_it_says(api: RawApi, namespace: str) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    body = {"metadata": {"name": namespace, "namespace": namespace}, "rules": []}
    made = api.post(roles, body)
    assert made.code == 201, made.text
    path = f"{roles}/{namespace}"
    changed = api.put(path, {**body, "aggregationRule": None})
    patched = api.patch(path, {"metadata": {"namespace": "other", "labels": {"a": "b"}}})
    kind = {"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1"}
    applied = api.request(
        "PATCH", f"{path}?fieldManager=m&force=true", {**kind, **body},
        {"Content-Type": "application/apply-patch+yaml"},
    )  # fmt: skip
    for answer in (made, changed, patched, applied):
        assert answer.code in (200, 201), answer.text
        assert "namespace" not in answer.json["metadata"]
    namespaces = api.post(
        "/api/v1/namespaces", {"metadata": {"name": f"{namespace}-2", "namespace": namespace}}
    )
    assert (namespaces.code, "namespace" in namespaces.json["metadata"]) == (201, False)
