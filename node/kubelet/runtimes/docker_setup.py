"""What an engine must have before it can run pods: the pod network and the sandbox image.

Called by runtimes/docker.py when it opens. Both are made once and shared by all kubelets of the
engine.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiodocker

from node.kubelet.runtimes.base import RuntimeFailure
from node.kubelet.runtimes.engine import Engine, engine_errors
from node.kubelet.runtimes.pause_image import MACHINES, PAUSE_PATH, pause_archive

if TYPE_CHECKING:
    from node.kubelet.runtimes.docker_config import EngineSettings

log = logging.getLogger(__name__)
SETUP_SECONDS = 20.0  # an engine that answers its version but hangs here is to be told of soon


async def ensure_network(engine: Engine, settings: EngineSettings, subnet: str) -> None:
    """Make the pod network; RuntimeFailure when there is one with another subnet than asked for."""
    networks = engine.docker.networks
    async with engine_errors(SETUP_SECONDS):
        try:
            found = await (await networks.get(settings.network)).show()
        except aiodocker.DockerError as error:
            if error.status != 404:
                raise
            await _create_network(engine, settings.network, subnet)
            return
    subnets = [str(entry.get("Subnet")) for entry in found["IPAM"]["Config"] or ()]
    if subnet and subnet not in subnets:
        raise RuntimeFailure(
            f"the engine's network {settings.network} has subnet {', '.join(subnets)}, not the "
            f"{subnet} of --pod-cidr: remove that network or name another --pod-network"
        )


async def ensure_sandbox_image(engine: Engine, image: str) -> None:
    """Import our sandbox image; RuntimeFailure on a machine it is not made for."""
    async with engine_errors(SETUP_SECONDS):
        try:
            await engine.docker.images.inspect(image)
            return
        except aiodocker.DockerError as error:
            if error.status != 404:
                raise
    name = str((await engine.version()).get("Arch"))
    machine = MACHINES.get(name)
    if machine is None:
        raise RuntimeFailure(
            f"no pause program for {name}: name an image with --pod-infra-container-image"
        )
    repository, _, tag = image.partition(":")
    params = {
        "fromSrc": "-",
        "repo": repository,
        "tag": tag,
        "changes": f'ENTRYPOINT ["{PAUSE_PATH}"]',
    }
    async with (
        engine_errors(),
        engine.request(
            "POST", "images/create", params=params, data=pause_archive(machine)
        ) as response,
    ):
        await response.read()


async def _create_network(engine: Engine, name: str, subnet: str) -> None:
    document: dict[str, Any] = {"Name": name, "Driver": "bridge", "CheckDuplicate": True}
    if subnet:
        document["IPAM"] = {"Config": [{"Subnet": subnet}]}
    try:
        await engine.docker.networks.create(document)
    except aiodocker.DockerError as error:
        if error.status != 409:  # 409: another kubelet was quicker
            raise
    log.info("network_created name=%s subnet=%s", name, subnet or "auto")
