"""CustomResourceDefinitions as objects: served as v1, stored as upstream stores them.

Conformance: "CustomResourceDefinition resources ... creating/deleting custom resource definition
objects works", "listing custom resource definition objects works", "getting/updating/patching
custom resource definition status sub-resource works", as far as the objects go.
"""

import copy
import json
from pathlib import Path

from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from tests.control_plane.api.custom_resource_cases import definition, two_versions
from tests.control_plane.apiserver.custom_stage import is_established
from tests.control_plane.apiserver.minimal_objects import minimal_object, unused_name
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

PATH = CUSTOMRESOURCEDEFINITIONS.path()


def gone(api: RawApi, name: str) -> None:
    assert api.delete(f"{PATH}/{name}").code == 200
    wait_until(lambda: api.get(f"{PATH}/{name}").code == 404, "it is gone")


def test_it_is_completed(api: RawApi) -> None:
    name = unused_name(CUSTOMRESOURCEDEFINITIONS)
    made = api.post(PATH, minimal_object(CUSTOMRESOURCEDEFINITIONS, name, ""))
    assert made.code == 201, made.text
    spec, status = made.json["spec"], made.json["status"]
    kind = spec["names"]["kind"]
    assert spec["names"]["singular"] == kind.lower()
    assert spec["names"]["listKind"] == f"{kind}List"
    assert spec["conversion"] == {"strategy": "None"}
    assert made.json["metadata"]["generation"] == 1
    assert status["conditions"] is None
    assert status["acceptedNames"] == {"plural": "", "kind": ""}
    assert status["storedVersions"] == ["v1"]
    assert name in [item["metadata"]["name"] for item in api.get(PATH).json["items"]]
    gone(api, name)


def test_a_new_storage_version_is_remembered(api: RawApi) -> None:
    name = api.post(PATH, two_versions()).json["metadata"]["name"]
    wait_until(lambda: is_established(api.get(f"{PATH}/{name}").json), "it is established")
    changed = api.get(f"{PATH}/{name}").json
    for version in changed["spec"]["versions"]:
        version["storage"] = not version["storage"]
    updated = api.put(f"{PATH}/{name}", changed)
    assert updated.code == 200, updated.text
    assert updated.json["status"]["storedVersions"] == ["v1", "v2"]
    assert updated.json["metadata"]["generation"] == 2
    lost = copy.deepcopy(updated.json)
    lost["status"]["storedVersions"] = ["v1"]
    refused = api.put(f"{PATH}/{name}/status", lost)
    assert refused.message.endswith("must have the storage version v2")
    condition = {"type": "X", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    patched = api.patch(f"{PATH}/{name}/status", {"status": {"conditions": [condition]}})
    assert [one["type"] for one in patched.json["status"]["conditions"]] == ["X"]
    moved = api.patch(f"{PATH}/{name}", {"spec": {"group": "other.example.com"}})
    assert 'spec.group: Invalid value: "other.example.com": field is immutable' in moved.message
    gone(api, name)


async def test_it_is_stored_as_upstream_stores_it(api: RawApi, store: Etcd | Datastore) -> None:
    name = unused_name(CUSTOMRESOURCEDEFINITIONS)
    sent = minimal_object(CUSTOMRESOURCEDEFINITIONS, name, "")
    column = {"name": "A", "type": "string", "jsonPath": ".spec.a"}
    sent["spec"]["versions"][0]["additionalPrinterColumns"] = [column]
    served = api.post(PATH, sent).json
    etcd = EtcdClient(EtcdEndpoints((store.endpoint,)))
    try:
        key = f"/registry/apiextensions.k8s.io/customresourcedefinitions/{name}"
        found, _ = await etcd.get(key.encode())
    finally:
        await etcd.close()
    assert found is not None
    stored = json.loads(found.value)
    assert stored["apiVersion"] == "apiextensions.k8s.io/v1beta1"
    assert stored["spec"]["validation"] == {"openAPIV3Schema": {"type": "object"}}
    assert stored["spec"]["additionalPrinterColumns"][0]["JSONPath"] == ".spec.a"
    assert stored["spec"]["preserveUnknownFields"] is False
    assert stored["spec"]["versions"] == [{"name": "v1", "served": True, "storage": True}]
    assert served["spec"]["versions"][0]["additionalPrinterColumns"] == [column]
    assert api.get(f"{PATH}/{name}").json["spec"] == served["spec"]
    listed = {item["metadata"]["name"]: item for item in api.get(PATH).json["items"]}
    assert listed[name]["spec"] == served["spec"]
    gone(api, name)


def test_kubectl(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> None:
    kubectl = Kubectl(server.kubeconfig, tmp_path, namespace)
    obj = definition()
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(obj))
    name = obj["metadata"]["name"]
    heading, row = kubectl("get", "crd", name).splitlines()
    assert heading.split() == ["NAME", "CREATED", "AT"]
    assert row.split()[0] == name
    assert "Widget" in kubectl("describe", "crd", name)
    kubectl("delete", "crd", name)
