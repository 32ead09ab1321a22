"""Encryption at rest through a real API server: what lies in the database file, and rotation."""

import base64
import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import grpc
import pytest

from control_plane.apiserver.config import ConfigError, checked
from control_plane.apiserver.encryption.options import EncryptionOptions
from proto.etcd import rpc_pb2, rpc_pb2_grpc
from tests.control_plane.apiserver.conftest import raw_api
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

SECRETS = "/api/v1/namespaces/default/secrets"
LOCKED = "/api/v1/namespaces/kube-node-lease/secrets"
PROBES = "/api/v1/namespaces/kube-public/secrets"
KEYS = {name: base64.b64encode(os.urandom(32)).decode() for name in ("key1", "key2")}
PLAIN: dict[str, Any] = {"identity": {}}


def provider(algorithm: str, *names: str) -> dict[str, Any]:
    return {algorithm: {"keys": [{"name": name, "secret": KEYS[name]} for name in names]}}


class Cluster:
    """An API server over a SQLite file that reads its encryption anew whenever it changes."""

    def __init__(self, store: Datastore, directory: Path) -> None:
        self.store = store
        self.file = directory / "encryption.json"
        self.seal_with(provider("aescbc", "key1"), PLAIN)
        options = EncryptionOptions(self.file, reloads=True)
        self.server = ThreadedApiServer(store.endpoint, directory, encryption=options)

    def seal_with(self, *providers: dict[str, Any]) -> None:
        """Write the configuration, in one step."""
        element = {"resources": ["secrets"], "providers": providers}
        document = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [element],
        }
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(document))
        part.replace(self.file)

    def stored(self) -> bytes:
        """All that the database's files have."""
        path = Path(self.store.endpoint_url.removeprefix("sqlite:///"))
        return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, RawApi]]:
    with Datastore() as store:
        cluster = Cluster(store, tmp_path_factory.mktemp("encrypted"))
        with cluster.server, raw_api(cluster.server) as api:
            yield cluster, api


@pytest.fixture
def cluster(running: tuple[Cluster, RawApi]) -> Cluster:
    """The cluster, which writes with AES-CBC and reads whatever a test has left behind."""
    cluster, api = running
    others = provider("aesgcm", "key2"), provider("secretbox", "key2")
    rewrite_with(cluster, api, provider("aescbc", "key1", "key2"), *others, PLAIN)
    return cluster


@pytest.fixture
def api(running: tuple[Cluster, RawApi]) -> RawApi:
    return running[1]


def secret(name: str, value: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "stringData": {"password": value}}


def value_of(answer: Any) -> str:
    return base64.b64decode(answer.json["data"]["password"]).decode()


def rewrite_with(cluster: Cluster, api: RawApi, *providers: dict[str, Any]) -> None:
    """Use these providers, and wait until the server does: until what it writes shows it."""
    cluster.seal_with(*providers)
    algorithm, settings = next(iter(providers[0].items()))
    prefix = f"k8s:enc:{algorithm}:v1:{settings['keys'][0]['name']}:" if settings else "{"

    def is_used() -> bool:
        name = f"probe-{os.urandom(4).hex()}"
        assert api.post(PROBES, secret(name, "x")).code == 201
        return value_in_store(cluster, f"kube-public/{name}").startswith(prefix.encode())

    wait_until(is_used, "the new configuration to be used")


def value_in_store(cluster: Cluster, place: str) -> bytes:
    """The newest stored value of a secret, as any client of the store reads it."""
    key = f"/registry/secrets/{place}".encode()
    with grpc.insecure_channel(cluster.store.address) as channel:
        (kv,) = rpc_pb2_grpc.KVStub(channel).Range(rpc_pb2.RangeRequest(key=key)).kvs
    return bytes(kv.value)


@contextmanager
def watching(api: RawApi, path: str) -> Iterator[Any]:
    with closing(api.watch(path)) as events:
        yield events


def test_no_secret_lies_in_the_database_file(cluster: Cluster, api: RawApi) -> None:
    value = "a-password-that-nobody-finds"
    assert api.post(SECRETS, secret("hidden", value)).code == 201
    maps = "/api/v1/namespaces/default/configmaps"
    api.post(maps, {"metadata": {"name": "shown"}, "data": {"a": "text-that-everybody-finds"}})
    found = cluster.stored()
    assert b"text-that-everybody-finds" in found
    assert value.encode() not in found
    assert base64.b64encode(value.encode()) not in found
    assert b"k8s:enc:aescbc:v1:key1:" in found
    assert value_of(api.get(f"{SECRETS}/hidden")) == value


def test_lists_and_watches_show_what_is_encrypted(cluster: Cluster, api: RawApi) -> None:
    version = api.get(SECRETS).json["metadata"]["resourceVersion"]
    api.post(SECRETS, secret("seen", "abc"))
    with watching(api, f"{SECRETS}?watch=1&resourceVersion={version}") as events:
        (event,) = islice(events, 1)
    assert base64.b64decode(event["object"]["data"]["password"]) == b"abc"
    listed = {item["metadata"]["name"]: item for item in api.get(SECRETS).json["items"]}
    assert base64.b64decode(listed["seen"]["data"]["password"]) == b"abc"


def test_a_key_is_rotated_by_replacing_every_object_with_itself(
    cluster: Cluster, api: RawApi
) -> None:
    api.post(SECRETS, secret("old", "abc"))
    rewrite_with(cluster, api, provider("aescbc", "key2", "key1"), PLAIN)
    before = api.get(f"{SECRETS}/old").json
    assert value_in_store(cluster, "default/old").startswith(b"k8s:enc:aescbc:v1:key1:")

    replaced = api.put(f"{SECRETS}/old", before).json
    assert replaced["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]
    assert value_in_store(cluster, "default/old").startswith(b"k8s:enc:aescbc:v1:key2:")
    again = api.put(f"{SECRETS}/old", replaced).json
    assert again["metadata"]["resourceVersion"] == replaced["metadata"]["resourceVersion"]

    rewrite_with(cluster, api, provider("aescbc", "key2"))
    assert value_of(api.get(f"{SECRETS}/old")) == "abc"


@pytest.mark.parametrize("algorithm", ["aesgcm", "secretbox"])
def test_an_unencrypted_store_is_encrypted_by_replacing(
    cluster: Cluster, api: RawApi, algorithm: str
) -> None:
    rewrite_with(cluster, api, PLAIN)
    name = f"open-{algorithm}"
    api.post(SECRETS, secret(name, "abc"))
    rewrite_with(cluster, api, provider(algorithm, "key2"), PLAIN)
    api.put(f"{SECRETS}/{name}", api.get(f"{SECRETS}/{name}").json)
    assert value_in_store(cluster, f"default/{name}").startswith(
        f"k8s:enc:{algorithm}:v1:key2:".encode()
    )
    assert value_of(api.get(f"{SECRETS}/{name}")) == "abc"


def test_without_the_key_reads_and_lists_fail_as_upstream_and_come_back_with_it(
    cluster: Cluster, api: RawApi, tmp_path: Path
) -> None:
    api.post(LOCKED, secret("locked", "abc"))
    file = tmp_path / "encryption.json"
    file.write_text(cluster.file.read_text().replace("key1", "key3"))
    options = EncryptionOptions(file, reloads=True)
    second = ThreadedApiServer(cluster.store.endpoint, tmp_path, encryption=options)
    with second, raw_api(second) as other:
        no_key = "no matching key was found for the provided AES transformer"
        got = other.get(f"{LOCKED}/locked")
        assert (got.code, got.reason) == (500, "InternalError")
        assert got.message == f"Internal error occurred: {no_key}"
        listed = other.get(LOCKED)
        assert listed.code == 500
        place = "/registry/secrets/kube-node-lease/locked"
        text = f'Internal error occurred: unable to transform key "{place}": {no_key}'
        assert listed.message == text
        file.write_text(cluster.file.read_text())
        wait_until(lambda: other.get(LOCKED).code == 200, "the key to be known")
        assert value_of(other.get(f"{LOCKED}/locked")) == "abc"


def test_a_configuration_with_an_error_is_refused_at_start(
    running: tuple[Cluster, RawApi], tmp_path: Path
) -> None:
    file = tmp_path / "encryption.yaml"
    file.write_text("apiVersion: v1\nkind: Secret\n")
    config = running[0].server.server.config
    with pytest.raises(ConfigError, match=f"--encryption-provider-config {file}: this is a 'Sec"):
        checked(dataclasses.replace(config, encryption=EncryptionOptions(file)))
