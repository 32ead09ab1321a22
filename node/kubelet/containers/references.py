"""fieldRef and resourceFieldRef: what a pod may ask about itself. Pure.

Called for environment variables (environment.py) and downward API files (volumes/downward_api.py).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from control_plane.api import quantity
from node.kubelet.pod_spec import find_container

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from control_plane.api.objects import Object

_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")


class ReferenceFailure(Exception):
    """A reference names something that does not exist; the text says what."""


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What is known of a pod only on its node. `allocatable` stands in for limits that are not
    set.
    """

    pod: Object
    pod_ips: Sequence[str] = ()
    host_ips: Sequence[str] = ()
    allocatable: Mapping[str, str] = field(default_factory=dict)


def field_value(facts: PodFacts, path: str) -> str:
    """Return the value of a fieldRef's fieldPath; a missing label or annotation is "".

    Raises ReferenceFailure for a path that is not supported.
    """
    pod = facts.pod
    if path in ("metadata.labels", "metadata.annotations"):
        return format_map(pod["metadata"].get(path.split(".")[1]) or {})
    if keyed := _KEYED.fullmatch(path):
        return str((pod["metadata"].get(keyed[1]) or {}).get(keyed[2], ""))
    values = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"].get("namespace", ""),
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.hostIP": next(iter(facts.host_ips), ""),
        "status.hostIPs": ",".join(facts.host_ips),
        "status.podIP": next(iter(facts.pod_ips), ""),
        "status.podIPs": ",".join(facts.pod_ips),
    }
    if path not in values:
        raise ReferenceFailure(f"unsupported fieldPath: {path}")
    return str(values[path])


def format_map(values: Mapping[str, str]) -> str:
    """Return sorted key="quoted value" lines, without a final newline."""
    lines = (f"{key}={json.dumps(values[key], ensure_ascii=False)}" for key in sorted(values))
    return "\n".join(lines)


def resource_value(facts: PodFacts, reference: Object, container: Object | None = None) -> str:
    """Return a resourceFieldRef's value: ceil(quantity / divisor), as an integer.

    The container named in the reference wins over `container`. Limits not set are the node's
    allocatable, requests not set are the limit if there is one, else 0.
    """
    if name := reference.get("containerName"):
        container = find_container(facts.pod, name)
    if container is None:
        raise ReferenceFailure(f"container {name or ''} not found")
    kind, _, resource = str(reference["resource"]).partition(".")
    amount = _amount(facts, container, kind, resource)
    divisor = quantity.parse(str(reference.get("divisor") or "1")) or Decimal(1)
    return str(int((amount / divisor).to_integral_value(ROUND_CEILING)))


def _amount(facts: PodFacts, container: Object, kind: str, resource: str) -> Decimal:
    if kind not in ("limits", "requests"):
        raise ReferenceFailure(f"unsupported resource: {kind}.{resource}")
    resources = container.get("resources") or {}
    declared = (resources.get(kind) or {}).get(resource)
    if declared is None and kind == "limits":
        declared = (facts.pod["spec"].get("resources") or {}).get("limits", {}).get(resource)
        declared = declared or facts.allocatable.get(resource)
    return quantity.parse(str(declared or "0"))
