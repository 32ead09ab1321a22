"""Composes the all-in-one: claims the data directory, starts the store, runs the components.

The datastore is a child process; API server, scheduler, controllers and kubelet are tasks of this
one. On a signal the tasks end first and the datastore last, so that nothing they write on their
way out is refused. If a component fails the whole process ends with its error: a cluster without
its scheduler would only look alive.
"""

import asyncio
import logging
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from control_plane.api.objects import Object, dig
from tapir.up.addresses import check_listening, node_address
from tapir.up.certificates import ensure_certificates, keep_certificates
from tapir.up.components import Place, check_extra_flags, component_flags, run_component
from tapir.up.config import ConfigError, UpConfig
from tapir.up.data_dir import claimed
from tapir.up.datastore_process import DatastoreProcess
from tapir.up.external_store import wait_for_store
from tapir.up.readiness import wait_until_ready

logger = logging.getLogger(__name__)
KUBELET_ADDRESS = "0.0.0.0"


async def run(config: UpConfig, ready: asyncio.Event | None = None) -> None:
    """Run the cluster until cancelled; set `ready` once the node is Ready.

    Raises ConfigError, with nothing changed, when something it needs cannot be used.
    """
    began = time.monotonic()
    check_extra_flags(config)
    address = node_address(config.node_ip)
    check_listening("--bind-address", config.bind_address, "--secure-port", config.secure_port)
    check_listening("--address", KUBELET_ADDRESS, "--kubelet-port", config.kubelet_port)
    if config.etcd_servers:
        await wait_for_store(config.etcd_servers, _say)
    with claimed(config.data_dir) as claim:
        async with _store(config) as store:
            claim.keep()
            pki = ensure_certificates(config, address)
            warn_of_password(config.datastore)
            _say(f"store: {without_password(config.datastore or config.etcd_servers)}")
            try:
                await _run_components(Place(config, pki, address, store), began, ready)
            except* ConfigError as refusals:
                raise ConfigError(str(refusals.exceptions[0])) from refusals


async def _run_components(place: Place, began: float, ready: asyncio.Event | None) -> None:
    async with asyncio.TaskGroup() as components:
        components.create_task(keep_certificates(place.config), name="certificates")
        for name, flags in component_flags(place).items():
            components.create_task(run_component(name, flags), name=name)
        kubeconfig, node_name = place.pki.kubeconfig(), place.config.node_name
        node = await wait_until_ready(kubeconfig, node_name, _say)
        _say(f"node {node_name} is Ready ({_runtime_of(node)})")
        _say(f"ready in {time.monotonic() - began:.1f} s: export KUBECONFIG={kubeconfig}")
        if ready is not None:
            ready.set()


@asynccontextmanager
async def _store(config: UpConfig) -> AsyncIterator[str]:
    """Yield the client URLs of the store: given, or of a child which ends with the block."""
    if config.etcd_servers:
        yield config.etcd_servers
        return
    child = DatastoreProcess(config)
    try:
        await child.start()
        keeper = asyncio.create_task(child.keep_running())
        try:
            yield child.endpoint
        finally:
            keeper.cancel()
            await asyncio.wait([keeper])
    finally:
        await child.stop()


def warn_of_password(url: str) -> None:
    """Warn of a URL with a password, which was given where everybody can read it."""
    if without_password(url) != url:
        logger.warning(
            "every user of this machine sees the password in flag=--datastore: "
            "write it to a file, and give --datastore-password-file"
        )


def without_password(url: str) -> str:
    """Return a database's URL as it may be shown to whoever looks at the screen or the log."""
    userinfo = re.sub(r"(://[^/@]*?):.*@", r"\1:***@", url)
    return re.sub(r"([?&](?:(?:ssl)?password|passwd)=)[^&]*", r"\1***", userinfo)


def _runtime_of(node: Object) -> str:
    version = dig(node, "status", "nodeInfo", "containerRuntimeVersion", default="")
    if str(version).startswith("simulated"):
        return "no Docker Engine: pods are simulated, without containers"
    return str(version)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
