"""The /etc/hosts every container gets. Pure. Source: kubelet ensureHostsFile; columns are TAB
separated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_plane.api.objects import Object

_POD_HEADER = "# Kubernetes-managed hosts file.\n"
_HOST_HEADER = "# Kubernetes-managed hosts file (host network).\n"
_LOCAL = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n"
)


def pod_hosts(pod_ips: Sequence[str], hostname: str, domain: str, aliases: Sequence[Object]) -> str:
    """Return the file of a pod with a network of its own; domain "" means no subdomain."""
    names = f"{hostname}.{domain}\t{hostname}" if domain else hostname
    own = "".join(f"{ip}\t{names}\n" for ip in pod_ips)
    return _POD_HEADER + _LOCAL + own + _alias_lines(aliases)


def host_network_hosts(node_file: str, aliases: Sequence[Object]) -> str:
    """Return the file of a pod on the node's network: the node's own, and the aliases."""
    return _HOST_HEADER + node_file + _alias_lines(aliases)


def _alias_lines(aliases: Sequence[Object]) -> str:
    if not aliases:
        return ""
    lines = ["\t".join((alias["ip"], *(alias.get("hostnames") or ()))) + "\n" for alias in aliases]
    return "\n# Entries added by HostAliases.\n" + "".join(lines)
