"""A node joins with bootstrap credentials alone, and its certificates are the cluster's."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from control_plane.api.errors import NotFound
from control_plane.api.objects import dig
from control_plane.api.resources import (
    CERTIFICATESIGNINGREQUESTS,
    CLUSTERROLEBINDINGS,
    NODES,
)
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.server import run as run_controllers
from control_plane.pki.authority import Authority, Identity, KeyPair
from control_plane.pki.kubeconfig import write_kubeconfig
from node.kubelet.certificates.renewal import due
from node.kubelet.certificates.signing_request import SERVING_SIGNER
from node.kubelet.config import ConfigError, KubeletConfig
from node.kubelet.server import run as run_kubelet
from tests.node.stage import kubelet_config
from tests.support.apiserver import ApiServer
from tests.support.datastore import Datastore
from tests.support.ports import free_port

Object = dict[str, Any]
NAME = "second"
SECONDS = 90
RBAC = "rbac.authorization.k8s.io"
# what kubeadm binds, so that holders of a token get their node's certificate, and nodes renew it
BINDINGS = {
    "node-bootstrap": ("system:node-bootstrapper", "system:bootstrappers"),
    "node-approve": (
        "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
        "system:bootstrappers",
    ),
    "node-renew": (
        "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
        "system:nodes",
    ),
}


def binding(name: str) -> Object:
    role, group = BINDINGS[name]
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
    }


def bootstrap_kubeconfig(server: ApiServer, directory: Path) -> Path:
    """Credentials of one who has a bootstrap token: its name and its group."""
    now = datetime.datetime.now(datetime.UTC)
    pair = KeyPair(directory / "bootstrap.crt", directory / "bootstrap.key")
    holder = Identity("system:bootstrap:abcdef", ("system:bootstrappers",))
    authority = server.pki.pair("ca")
    Authority.open(authority, now).ensure(pair, holder, now)
    path = directory / "bootstrap.kubeconfig"
    write_kubeconfig(path, server.url, authority.certificate, pair)
    return path


@asynccontextmanager
async def joined(config: KubeletConfig) -> AsyncIterator[None]:
    """A kubelet, until its node is Ready."""
    ready = asyncio.Event()
    task = asyncio.create_task(run_kubelet(config, ready))
    waiter = asyncio.create_task(ready.wait())
    try:
        async with asyncio.timeout(SECONDS):
            await asyncio.wait((waiter, task), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield
    finally:
        waiter.cancel()
        task.cancel()
        await asyncio.gather(waiter, task, return_exceptions=True)


async def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until `await holds()` is true; return it."""
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                if found := await holds():
                    return found
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"waited {SECONDS} s in vain for {what}") from None


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[tuple[ApiServer, ApiClient]]:
    """An API server with the controllers that approve and sign, and kubeadm's bindings."""
    with Datastore() as store:
        async with (
            ApiServer(store.endpoint, tmp_path) as server,
            ApiClient(ClientConfig.from_kubeconfig(server.kubeconfig)) as client,
        ):
            authority = server.pki.pair("ca")
            config = ControllersConfig(
                server.pki.kubeconfig("controller-manager"),
                (
                    "certificatesigningrequest-approving-controller",
                    "certificatesigningrequest-signing-controller",
                ),
                leader_elect=False,
                cluster_signing_cert_file=authority.certificate,
                cluster_signing_key_file=authority.key,
            )
            task = asyncio.create_task(run_controllers(config))
            for name in BINDINGS:
                await client.create(CLUSTERROLEBINDINGS, binding(name))
            yield server, client
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def joining(server: ApiServer, directory: Path, **fields: Any) -> KubeletConfig:
    """A second node that has nothing but bootstrap credentials."""
    certificates = directory / "node" / "pki"
    return kubelet_config(
        directory / "node",
        node_name=NAME,
        kubeconfig=directory / "node" / "kubeconfig",
        bootstrap_kubeconfig=bootstrap_kubeconfig(server, directory),
        cert_dir=certificates,
        tls_cert_file=certificates / "kubelet.crt",
        tls_private_key_file=certificates / "kubelet.key",
        client_ca_file=certificates / "client-ca.crt",
        makes_serving_certificate=True,
        makes_client_ca=True,
        rotate_certificates=True,
        container_runtime="simulated",
        address="127.0.0.1",
        port=free_port(),
        **fields,
    )


async def test_a_node_joins_with_bootstrap_credentials_alone(
    cluster: tuple[ApiServer, ApiClient], tmp_path: Path
) -> None:
    server, client = cluster
    config = joining(server, tmp_path, rotate_server_certificates=True)
    (tmp_path / "node" / "kubelet").mkdir(parents=True)
    async with joined(config):
        node = await client.get(NODES, NAME)
        conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
        assert conditions["Ready"] == "True"
        own = ClientConfig.from_kubeconfig(config.kubeconfig)
        certificate = x509.load_pem_x509_certificate(own.certificate_pem)
        authority = x509.load_pem_x509_certificate(server.pki.pair("ca").certificate.read_bytes())
        certificate.verify_directly_issued_by(authority)
        assert "CN=system:node:second" in certificate.subject.rfc4514_string()
        assert (config.cert_dir / "kubelet-client-current.pem").stat().st_mode & 0o777 == 0o600

        await _serving_certificate_is_signed(server, client, config)
    # a restart needs no bootstrap credentials any more
    gone = tmp_path / "none"
    async with joined(replace(config, bootstrap_kubeconfig=gone)):
        assert (await client.get(NODES, NAME))["metadata"]["uid"] == node["metadata"]["uid"]


async def _serving_certificate_is_signed(
    server: ApiServer, client: ApiClient, config: KubeletConfig
) -> None:
    """The serving certificate waits for somebody's approval, and is then shown."""

    async def asked() -> Object | None:
        found = await client.list(CERTIFICATESIGNINGREQUESTS)
        mine = (one for one in found["items"] if one["spec"]["signerName"] == SERVING_SIGNER)
        return next(mine, None)

    request = await until(asked, "a request for a serving certificate")
    assert request["spec"]["username"] == "system:node:second"
    assert not dig(request, "status", "conditions")
    approval = {"type": "Approved", "status": "True", "reason": "Known", "message": "it is ours"}
    request["status"] = {"conditions": [approval]}
    await client.update(CERTIFICATESIGNINGREQUESTS, request, subresource="approval")
    believing = ssl.create_default_context(cafile=str(server.pki.pair("ca").certificate))
    mine = server.pki.pair("apiserver-kubelet-client")
    believing.load_cert_chain(mine.certificate, mine.key)

    async def is_believed() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", config.port, ssl=believing)
        except ssl.SSLError:
            return False
        writer.close()
        return True

    await until(is_believed, "the signed certificate to be shown")


async def test_a_denied_request_ends_the_kubelet_with_the_reason(
    cluster: tuple[ApiServer, ApiClient], tmp_path: Path
) -> None:
    server, client = cluster
    await client.delete(CLUSTERROLEBINDINGS, "node-approve")
    (tmp_path / "node" / "kubelet").mkdir(parents=True)
    task = asyncio.create_task(run_kubelet(joining(server, tmp_path)))

    async def asked() -> Object | None:
        found = await client.list(CERTIFICATESIGNINGREQUESTS)
        return next(iter(found["items"]), None)

    request = await until(asked, "a request for a certificate")
    denial = {"type": "Denied", "status": "True", "reason": "Unknown", "message": "who is that?"}
    request["status"] = {"conditions": [denial]}
    await client.update(CERTIFICATESIGNINGREQUESTS, request, subresource="approval")
    with pytest.raises(ConfigError, match=r"--bootstrap-kubeconfig .* is denied: who is that\?"):
        async with asyncio.timeout(SECONDS):
            await task
    with pytest.raises(NotFound):
        await client.get(NODES, NAME)


@pytest.mark.parametrize(("chance", "days"), [(0.0, 70), (0.5, 80), (1.0, 90)])
def test_a_certificate_is_renewed_before_it_ends(chance: float, days: int, tmp_path: Path) -> None:
    now = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)

    class Hundred:
        not_valid_before_utc = now
        not_valid_after_utc = now + datetime.timedelta(days=100)

    hundred: Any = Hundred()
    assert due(hundred, chance) == now + datetime.timedelta(days=days)
    assert due(None, chance) < now
