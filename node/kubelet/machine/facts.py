"""What the machine is: read from /proc, /sys and /etc. Blocking but quick; call in a thread.

Called by server.py once, at start. Source: kubelet nodestatus setters.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.objects import Object
    from node.kubelet.config import KubeletConfig

KUBELET_VERSION = "v1.35.0"
RESERVED_MEMORY_BYTES = 100 * 1024 * 1024  # the hard eviction threshold memory.available
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Sizes are bytes."""

    cpus: int
    memory_bytes: int
    disk_bytes: int
    addresses: tuple[str, ...]
    info: Mapping[str, str]


def read_facts(config: KubeletConfig) -> MachineFacts:
    """Read everything; what cannot be read is empty."""
    return MachineFacts(
        cpus=os.cpu_count() or 1,
        memory_bytes=memory_total(_text("/proc/meminfo")),
        disk_bytes=shutil.disk_usage(config.root_dir).total,
        addresses=(config.node_ip or _own_address(config.node_name),),
        info=_info(),
    )


def memory_total(meminfo: str) -> int:
    """Return MemTotal in bytes from the text of /proc/meminfo, 0 when it is not there."""
    for line in meminfo.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def capacity(facts: MachineFacts, max_pods: int) -> Object:
    """Return status.capacity."""
    return {
        "cpu": str(facts.cpus),
        "memory": f"{facts.memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{facts.disk_bytes // 1024}Ki",
        "pods": str(max_pods),
    }


def allocatable(facts: MachineFacts, max_pods: int) -> Object:
    """Return status.allocatable: capacity less the default eviction thresholds."""
    return {
        "cpu": str(facts.cpus),
        "memory": f"{(facts.memory_bytes - RESERVED_MEMORY_BYTES) // 1024}Ki",
        "ephemeral-storage": str(facts.disk_bytes * 9 // 10),
        "pods": str(max_pods),
    }


def _info() -> dict[str, str]:
    machine = platform.machine()
    return {
        "machineID": _text("/etc/machine-id").strip(),
        "systemUUID": _text("/sys/class/dmi/id/product_uuid").strip(),
        "bootID": _text("/proc/sys/kernel/random/boot_id").strip(),
        "kernelVersion": platform.release(),
        "osImage": _os_name(),
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": _ARCHITECTURES.get(machine, machine),
    }


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def _own_address(name: str) -> str:
    """Return the address that the default route leaves from, else the name's, else loopback.

    Connecting a datagram socket sends nothing; it only makes the kernel choose a source address.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            pass
    try:
        return socket.gethostbyname(name)
    except OSError:
        return "127.0.0.1"


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
