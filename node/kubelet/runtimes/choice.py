"""RUNTIMES: the table of container runtimes, and opening the one that was asked for.

Called by server.py. A new runtime is one file with a class that keeps the Runtime protocol, and
one row here.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from node.kubelet.runtimes.base import Runtime, RuntimeUnavailable
from node.kubelet.runtimes.docker import DockerRuntime
from node.kubelet.runtimes.simulated import SimulatedRuntime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from node.kubelet.config import KubeletConfig

log = logging.getLogger(__name__)


def _docker(config: KubeletConfig) -> Runtime:
    return DockerRuntime(
        config.docker_endpoint,
        owner=str(config.root_dir),
        network=config.pod_network,
        subnet=config.pod_cidr,
        sandbox_image=config.pod_infra_container_image,
    )


def _simulated(config: KubeletConfig) -> Runtime:
    return SimulatedRuntime(Path(config.root_dir) / "simulated", subnet=config.pod_cidr)


RUNTIMES: Mapping[str, Callable[[KubeletConfig], Runtime]] = {
    "docker": _docker,
    "simulated": _simulated,
}


async def open_runtime(config: KubeletConfig) -> Runtime:
    """Return the configured runtime, open. Raises RuntimeFailure when it is named and does not
    answer.
    """
    if config.container_runtime != "auto":
        runtime = RUNTIMES[config.container_runtime](config)
        await runtime.open()
        return runtime
    try:
        runtime = RUNTIMES["docker"](config)
        await runtime.open()
    except RuntimeUnavailable as error:
        log.warning(
            "runtime_simulated endpoint=%s reason=%s note=pods run without containers",
            config.docker_endpoint,
            error,
        )
        runtime = RUNTIMES["simulated"](config)
        await runtime.open()
    return runtime
