"""A store that a kube-apiserver has written: protobuf of every kind under upstream's keys."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from control_plane.api.conversion import conversion_for
from control_plane.api.objects import Object
from control_plane.api.resources import RESOURCES, Resource
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.protobuf import envelope
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.protobuf.recorded import Recorded, recorded, without_nulls
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi

ROOT = "/recorded"  # beside the other tests' cluster, which these objects would confuse
NAME = NAMESPACE = "recorded"
FULL = {one.case.removesuffix(" full"): one for one in recorded() if one.case.endswith(" full")}


# A kube-apiserver keeps CustomResourceDefinitions as JSON (of v1beta1), never as protobuf.
STORED = [row for row in RESOURCES if row.is_stored and row.plural != "customresourcedefinitions"]


def stored(resource: Resource) -> Recorded:
    """The recorded object in the version that `resource` is stored in."""
    group, version, kind = resource.storage_group_version_kind
    return sensible(FULL[f"{group}/{version}/{kind}".removeprefix("/")])


def sensible(one: Recorded) -> Recorded:
    """The object with networks that are some: the server allocates addresses by these."""
    if one.json["kind"] != "ServiceCIDR":
        return one
    obj = {**one.json, "spec": {"cidrs": ["192.0.2.0/24"]}}
    return one._replace(json=obj, protobuf=envelope.encode(obj))


def key(resource: Resource) -> bytes:
    place = f"{NAMESPACE}/{NAME}" if resource.namespaced else NAME
    return f"{ROOT}/{resource.storage_prefix.removeprefix('/registry/')}{place}".encode()


@pytest.fixture(scope="module")
def taken_over(
    store: Etcd | Datastore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThreadedApiServer]:
    """An API server that found these objects in its store when it started."""
    asyncio.run(_put_all(store.endpoint))
    directory = tmp_path_factory.mktemp("taken-over")
    with ThreadedApiServer(store.endpoint, directory, etcd_prefix=ROOT) as running:
        yield running


async def _put_all(endpoint: str) -> None:
    for resource in STORED:
        await _put(endpoint, key(resource), stored(resource).protobuf)


@pytest.fixture
def there(taken_over: ThreadedApiServer) -> Iterator[RawApi]:
    with raw_api(taken_over) as client:
        yield client


@pytest.mark.parametrize("resource", STORED, ids=lambda row: f"{row.plural}-{row.version}")
def test_an_object_is_read_as_kubernetes_reads_it(there: RawApi, resource: Resource) -> None:
    answer = there.get(resource.path(NAMESPACE, NAME))
    assert answer.code == 200, answer.text
    obj = answer.json
    assert int(obj["metadata"].pop("resourceVersion")) > 0
    written = without_nulls(stored(resource).json)
    conversion = conversion_for(resource)
    expected = conversion.from_stored(written) if conversion is not None else written
    assert _with_plain_annotations(without_nulls(obj)) == _with_plain_annotations(expected)
    listed = there.get(resource.path(NAMESPACE)).json["items"]
    assert NAME in [item["metadata"]["name"] for item in listed]


def _with_plain_annotations(obj: Object) -> Object:
    """The object with annotations that are JSON read: what it is written in has no order."""
    annotations = obj["metadata"].get("annotations", {})
    plain = {k: json.loads(v) if v[:1] in ("[", "{") else v for k, v in annotations.items()}
    return {**obj, "metadata": {**obj["metadata"], "annotations": plain}}


@pytest.mark.parametrize("resource", STORED, ids=lambda row: f"{row.plural}-{row.version}")
def test_an_object_is_shown_as_a_table(there: RawApi, resource: Resource) -> None:
    table = "application/json;as=Table;g=meta.k8s.io;v=v1"
    answer = there.get(resource.path(NAMESPACE), table)
    assert (answer.code, answer.json["kind"]) == (200, "Table")


def test_kubectl_shows_each_as_yaml(taken_over: ThreadedApiServer, tmp_path: Path) -> None:
    kubectl = Kubectl(taken_over.kubeconfig, tmp_path, NAMESPACE)
    names = [
        (f"{row.plural}.{row.version}.{row.group}" if row.group else row.plural) + f"/{NAME}"
        for row in STORED
    ]
    shown = kubectl("get", *names, "-o", "yaml")
    assert shown.count(f"\n    name: {NAME}\n") >= len(STORED)


def test_what_is_changed_is_stored_as_json(
    taken_over: ThreadedApiServer, there: RawApi, store: Etcd | Datastore
) -> None:
    at = f"{ROOT}/configmaps/{NAMESPACE}/plain".encode()
    metadata = {"name": "plain", "namespace": NAMESPACE, "uid": "u"}
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": {"x": "1"}}
    asyncio.run(_put(store.endpoint, at, envelope.encode(obj)))
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/plain"
    assert there.get(path).json["data"] == {"x": "1"}
    assert there.patch(path, {"data": {"y": "2"}}).code == 200
    value = json.loads(asyncio.run(_value(store.endpoint, at)))
    assert (value["metadata"]["uid"], value["data"]) == ("u", {"x": "1", "y": "2"})


async def _put(endpoint: str, at: bytes, value: bytes) -> None:
    client = EtcdClient(EtcdEndpoints((endpoint,)))
    try:
        await client.put_if(at, value, 0, 0)
    finally:
        await client.close()


async def _value(endpoint: str, at: bytes) -> bytes:
    client = EtcdClient(EtcdEndpoints((endpoint,)))
    try:
        found, _ = await client.get(at)
    finally:
        await client.close()
    assert found is not None
    return found.value
