"""A pod's sandbox: its configuration (pure), and the files all its containers share.

Called by the pod worker when its plan asks for a sandbox, and before containers start.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from node.kubelet.containers.hosts_file import host_network_hosts, pod_hosts
from node.kubelet.containers.resolv_conf import parse_resolv_conf, pod_dns
from node.kubelet.pod_spec import (
    all_containers,
    containers,
    domain_of,
    hostname_of,
    identity_of,
    init_containers,
    uses_host_network,
)
from node.kubelet.runtimes.base import PortBinding, SandboxConfig

if TYPE_CHECKING:
    from control_plane.api.objects import Object
    from node.kubelet.config import KubeletConfig
    from node.kubelet.containers.references import PodFacts

_FQDN_LIMIT = 64


class SandboxFailure(Exception):
    """The sandbox cannot be configured; the text is shown in a FailedCreatePodSandBox event."""


def sandbox_config(pod: Object, attempt: int, cluster_domain: str) -> SandboxConfig:
    """Return the sandbox the pod asks for; raises SandboxFailure."""
    spec = pod["spec"]
    return SandboxConfig(
        pod=identity_of(pod),
        attempt=attempt,
        hostname=_kernel_hostname(pod, cluster_domain),
        labels=pod["metadata"].get("labels") or {},
        host_network=uses_host_network(pod),
        host_ipc=bool(spec.get("hostIPC")),
        host_pid=bool(spec.get("hostPID")),
        privileged=any(
            (c.get("securityContext") or {}).get("privileged") for c in all_containers(pod)
        ),
        ports=_ports(pod),
        sysctls={
            entry["name"].replace("/", "."): entry["value"]
            for entry in (spec.get("securityContext") or {}).get("sysctls") or ()
        },
    )


async def write_shared_files(directory: Path, facts: PodFacts, config: KubeletConfig) -> None:
    """Write the pod's hosts file and resolv.conf."""
    await asyncio.to_thread(_write_files, directory, facts, config)


def _write_files(directory: Path, facts: PodFacts, config: KubeletConfig) -> None:
    pod = facts.pod
    aliases = pod["spec"].get("hostAliases") or ()
    if uses_host_network(pod):
        hosts = host_network_hosts(_text_of(Path("/etc/hosts")), aliases)
    else:
        domain = domain_of(pod, config.cluster_domain)
        hosts = pod_hosts(facts.pod_ips, hostname_of(pod), domain, aliases)
    node = parse_resolv_conf(_text_of(config.resolv_conf))
    dns = pod_dns(pod, node, config.cluster_dns, config.cluster_domain)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (("etc-hosts", hosts), ("resolv.conf", dns.text())):
        path = directory / name
        path.write_text(text)  # in place: running containers have this very file mounted
        path.chmod(0o644)


def _text_of(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _kernel_hostname(pod: Object, cluster_domain: str) -> str:
    host, domain = hostname_of(pod), domain_of(pod, cluster_domain)
    if not (pod["spec"].get("setHostnameAsFQDN") and domain):
        return host
    name = f"{host}.{domain}"
    if len(name) > _FQDN_LIMIT:
        raise SandboxFailure(
            "failed to construct FQDN from pod hostname and cluster domain, "
            f"FQDN {name} is too long ({_FQDN_LIMIT} characters is the max, "
            f"{len(name)} characters requested)"
        )
    return name


def _ports(pod: Object) -> list[PortBinding]:
    if uses_host_network(pod):
        return []
    bindings = {
        PortBinding(
            port["containerPort"],
            port["hostPort"],
            str(port.get("protocol") or "TCP").lower(),
            port.get("hostIP") or "",
        ): None
        for container in (*containers(pod), *init_containers(pod))
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }
    return list(bindings)
