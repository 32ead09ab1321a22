"""The /etc/resolv.conf every container gets, by dnsPolicy and dnsConfig. Pure. Source: kubelet
network/dns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.kubelet.pod_spec import uses_host_network

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from control_plane.api.objects import Object

MAX_SERVERS, MAX_SEARCHES, MAX_SEARCH_CHARACTERS = 3, 32, 2048


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """The three kinds of lines of a resolv.conf."""

    servers: Sequence[str] = ()
    searches: Sequence[str] = ()
    options: Sequence[str] = ()

    def text(self) -> str:
        """Return the file."""
        lines = [f"nameserver {server}" for server in self.servers]
        lines += [f"search {' '.join(self.searches)}"] if self.searches else []
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(f"{line}\n" for line in lines)


def parse_resolv_conf(text: str) -> DnsSettings:
    """Read the node's file: every server, the last search line, options merged by name."""
    servers: list[str] = []
    searches: list[str] = []
    options: dict[str, str] = {}
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word == "nameserver" and rest:
            servers.append(rest[0])
        elif word == "search":
            searches = [name.rstrip(".") for name in rest if name != "."]
        elif word == "options":
            options |= {option.partition(":")[0]: option for option in rest}
    return DnsSettings(servers, searches, list(options.values()))


def pod_dns(
    pod: Object, node: DnsSettings, cluster_dns: Sequence[str], cluster_domain: str
) -> DnsSettings:
    """Return the pod's settings, cut to the limits of resolvers (3 servers, 32 searches)."""
    base = _by_policy(pod, node, cluster_dns, cluster_domain)
    config = pod["spec"].get("dnsConfig") or {}
    options = {option.partition(":")[0]: option for option in base.options}
    for option in config.get("options") or ():
        value = option.get("value")
        options[option["name"]] = f"{option['name']}:{value}" if value else option["name"]
    return DnsSettings(
        _unique((*base.servers, *(config.get("nameservers") or ())))[:MAX_SERVERS],
        _fitting(_unique((*base.searches, *(config.get("searches") or ())))),
        list(options.values()),
    )


def _by_policy(
    pod: Object, node: DnsSettings, cluster_dns: Sequence[str], cluster_domain: str
) -> DnsSettings:
    policy = pod["spec"].get("dnsPolicy") or "ClusterFirst"
    if policy == "None":
        return DnsSettings()
    on_host = policy == "ClusterFirst" and uses_host_network(pod)
    if policy == "Default" or on_host or not cluster_dns:
        return node
    namespace = pod["metadata"].get("namespace", "")
    own = (f"{namespace}.svc.{cluster_domain}", f"svc.{cluster_domain}", cluster_domain)
    return DnsSettings(list(cluster_dns), _unique((*own, *node.searches)), ["ndots:5"])


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _fitting(searches: list[str]) -> list[str]:
    kept: list[str] = []
    for name in searches[:MAX_SEARCHES]:
        if len(" ".join((*kept, name))) > MAX_SEARCH_CHARACTERS:
            break
        kept.append(name)
    return kept
