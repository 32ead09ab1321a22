"""The objects a cluster has from the start, as they are made. Pure.

Source: the bootstrap controllers and post-start hooks of kube-apiserver v1.35.
"""

import base64
import hashlib
import ipaddress

from control_plane.api.legacy_tokens import TRACKING
from control_plane.api.objects import Object, dig, find_condition

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
SERVICE_NAME = "kubernetes"
SERVICE_CIDR_NAME = "kubernetes"
IDENTITY_LABEL, IDENTITY = "apiserver.kubernetes.io/identity", "kube-apiserver"
LEASE_SECONDS = 3600

PRIORITY_CLASSES: tuple[Object, ...] = (
    {
        "metadata": {"name": "system-node-critical"},
        "value": 2_000_001_000,
        "description": (
            "Used for system critical pods that must not be moved from their current node."
        ),
    },
    {
        "metadata": {"name": "system-cluster-critical"},
        "value": 2_000_000_000,
        "description": (
            "Used for system critical pods that must run in the cluster, but can be moved to "
            "another node if necessary."
        ),
    },
)


def default_service_cidr(ranges: list[str]) -> Object:
    """The ServiceCIDR of the ranges that the server was started with."""
    return {"metadata": {"name": SERVICE_CIDR_NAME}, "spec": {"cidrs": ranges}}


def gains_a_family(service_cidr: Object, ranges: list[str]) -> bool:
    """Whether the default ServiceCIDR is to get the second of the server's two ranges."""
    return len(ranges) == 2 and dig(service_cidr, "spec", "cidrs", default=None) == ranges[:1]


def is_unjudged(service_cidr: Object, ranges: list[str]) -> bool:
    """Whether the default ServiceCIDR is the server's own, and nobody has said if it is ready."""
    metadata = service_cidr["metadata"]
    if metadata.get("deletionTimestamp") or dig(service_cidr, "spec", "cidrs") != ranges:
        return False
    return (find_condition(service_cidr, "Ready") or {}).get("status") not in ("True", "False")


def with_ready_condition(service_cidr: Object, now: str) -> Object:
    """The default ServiceCIDR, ready."""
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
        "lastTransitionTime": now,
    }
    conditions = dig(service_cidr, "status", "conditions", default=None) or []
    others = [one for one in conditions if one.get("type") != "Ready"]
    status = {**(service_cidr.get("status") or {}), "conditions": [*others, ready]}
    return {**service_cidr, "status": status}


def kubernetes_service(addresses: list[str], port: int) -> Object:
    """The service at which pods reach the API, with its address of the default family."""
    return {
        "metadata": {
            "name": SERVICE_NAME,
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": addresses[0],
            "clusterIPs": addresses,
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
            "type": "ClusterIP",
            "sessionAffinity": "None",
        },
    }


def reachable(addresses: list[str]) -> list[str]:
    """The addresses that mean the same machine everywhere."""
    return [text for text in addresses if not ipaddress.ip_address(text).is_loopback]


def kubernetes_endpoints(addresses: list[str], port: int) -> Object:
    """The endpoints of the service: every API server that is alive."""
    return {
        "metadata": {
            "name": SERVICE_NAME,
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [
            {
                "addresses": [{"ip": address} for address in addresses],
                "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            }
        ],
    }


def kubernetes_slice(addresses: list[str], port: int) -> Object:
    """The same as an EndpointSlice, of the first address' family."""
    is_v6 = ":" in addresses[0]
    return {
        "metadata": {
            "name": SERVICE_NAME,
            "labels": {"kubernetes.io/service-name": SERVICE_NAME},
        },
        "addressType": "IPv6" if is_v6 else "IPv4",
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": True}}
            for address in addresses
            if (":" in address) == is_v6
        ],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }


def token_tracking_config_map(today: str) -> Object:
    """Since when uses of old service-account tokens are noted; `today` is YYYY-MM-DD."""
    return {
        "metadata": {"name": TRACKING},
        "data": {"since": today},
    }


def server_identity(hostname: str) -> str:
    """The name of a server's identity lease: the same whenever it starts on this host."""
    digest = hashlib.sha256()
    for part in (hostname.encode(), IDENTITY.encode()):
        digest.update(len(part).to_bytes(2, "big") + part)
    text = base64.b32encode(digest.digest()[:16]).decode().rstrip("=").lower()
    return f"apiserver-{text}"


def identity_lease(hostname: str, holder: str, now: str) -> Object:
    """The Lease that says that a server lives; `now` is in microseconds."""
    return {
        "metadata": {
            "name": server_identity(hostname),
            "labels": {IDENTITY_LABEL: IDENTITY, "kubernetes.io/hostname": hostname},
        },
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now,
        },
    }
