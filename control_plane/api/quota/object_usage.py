"""What services, claims of volumes, claims of devices and all other objects use of a quota.

Source: v1.35 quota evaluators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.objects import Object, annotations_of, dig
from control_plane.api.pod_requests import add, largest
from control_plane.api.quota.amounts import ONE, Usage, is_binary, thousandths
from control_plane.api.quota.scopes import attributes_classes

if TYPE_CHECKING:
    from collections.abc import Iterable

STORAGE: Final = "requests.storage"
ALL_DEVICES: Final = 32
_CLAIMS: Final = "persistentvolumeclaims"
_CLASS: Final = ".storageclass.storage.k8s.io/"
_DEVICES: Final = ".deviceclass.resource.k8s.io/devices"
_CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
_SERVICES: Final = ("count/services", "services", "services.nodeports", "services.loadbalancers")
_VOLUME_CLAIMS: Final = (f"count/{_CLAIMS}", _CLAIMS, STORAGE)
_DEVICE_CLAIMS: Final = "count/resourceclaims.resource.k8s.io"


def service_names(names: Iterable[str]) -> list[str]:
    """Return which of the counted resources services use."""
    return [name for name in names if name in _SERVICES]


def service_usage(service: Object) -> Usage:
    """Return what a service uses: node ports are counted as they will be allocated."""
    spec = service.get("spec") or {}
    ports, kind = spec.get("ports") or [], spec.get("type")
    node_ports = 0
    if kind == "NodePort":
        node_ports = len(ports)
    elif kind == "LoadBalancer":
        allocates = spec.get("allocateLoadBalancerNodePorts") is not False
        node_ports = len(ports) if allocates else sum(bool(port.get("nodePort")) for port in ports)
    balancers = int(kind == "LoadBalancer")
    counted = (1, 1, node_ports, balancers)
    return Usage({name: n * ONE for name, n in zip(_SERVICES, counted, strict=True)})


def volume_claim_names(names: Iterable[str]) -> list[str]:
    """Return which of the counted resources PersistentVolumeClaims use."""
    by_class = (f"{_CLASS}{_CLAIMS}", f"{_CLASS}{STORAGE}")
    return [name for name in names if name in _VOLUME_CLAIMS or name.endswith(by_class)]


def volume_claim_usage(claim: Object) -> Usage:
    """Return what a claim uses, storage in whole bytes, also under the name of its class."""
    amounts = {f"count/{_CLAIMS}": ONE, _CLAIMS: ONE}
    written = dig(claim, "spec", "resources", "requests", "storage", default=None)
    if written is not None:
        amounts[STORAGE] = max(_whole(written), _whole(_allocated(claim)))
    named = storage_class_of(claim)
    if named:
        counted = (_CLAIMS, STORAGE)
        amounts |= {f"{named}{_CLASS}{n}": amounts[n] for n in counted if n in amounts}
    storage = (name for name in amounts if name.endswith(STORAGE))
    return Usage(amounts, frozenset(storage) if is_binary(written) else frozenset())


def changes_volume_claim(new: Object, old: Object) -> bool:
    """Tell whether a new status may change what a claim uses."""
    if _allocated(new) != _allocated(old):
        return True
    return attributes_classes(new) != attributes_classes(old)


def storage_class_of(claim: Object) -> str:
    """Return the name of a claim's or volume's storage class, the annotation's first."""
    annotated = annotations_of(claim).get(_CLASS_ANNOTATION)
    return annotated or dig(claim, "spec", "storageClassName", default="")


def _allocated(claim: Object) -> object:
    return dig(claim, "status", "allocatedResources", "storage", default="0")


def _whole(amount: object) -> int:
    return -(-thousandths(amount) // ONE) * ONE


def device_claim_names(names: Iterable[str]) -> list[str]:
    """Return which of the counted resources ResourceClaims use."""
    return [name for name in names if name == _DEVICE_CLAIMS or name.endswith(_DEVICES)]


def device_claim_usage(claim: Object) -> Usage:
    """Return what a ResourceClaim uses: itself, and devices by class."""
    amounts: dict[str, int] = {_DEVICE_CLAIMS: ONE}
    for request in dig(claim, "spec", "devices", "requests", default=[]):
        alternatives = request.get("firstAvailable")
        if alternatives:
            most: dict[str, int] = {}
            for alternative in alternatives:
                most = largest(most, _devices(alternative))
            amounts = add(amounts, most)
        else:
            amounts = add(amounts, _devices(request.get("exactly") or {}))
    return Usage(amounts)


def _devices(request: Object) -> dict[str, int]:
    is_all = request.get("allocationMode") == "All"
    count = ALL_DEVICES if is_all else request.get("count", 1)
    return {f"{request.get('deviceClassName', '')}{_DEVICES}": count * ONE}
