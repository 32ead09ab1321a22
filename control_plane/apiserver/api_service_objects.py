"""Which APIService objects this server wants, and how a condition is put into one. Pure.

Source: the autoregistration and availability controllers of kube-aggregator v1.35.
"""

from collections.abc import Iterable, Iterator

from control_plane.api.api_groups import group_priority, version_priority
from control_plane.api.objects import Object, find_condition, labels_of, name_of
from control_plane.api.preparation.api_services import AVAILABLE
from control_plane.api.resources import APISERVICES, Resource

MANAGED_LABEL = "kube-aggregator.kubernetes.io/automanaged"
ON_START = "onstart"


def local_api_services(rows: Iterable[Resource]) -> list[Object]:
    """The APIService of each group version, but for that which serves APIServices themselves."""
    served = {(row.group, row.version) for row in rows} - {(APISERVICES.group, "v1")}
    return [_local(group, version) for group, version in sorted(served)]


def _local(group: str, version: str) -> Object:
    return {
        "metadata": {"name": f"{version}.{group}", "labels": {MANAGED_LABEL: ON_START}},
        "spec": {
            **({"group": group} if group else {}),
            "version": version,
            "groupPriorityMinimum": group_priority(group),
            "versionPriority": version_priority(group, version),
        },
    }


def is_managed(service: Object) -> bool:
    """Whether a server made this at its start and may change or remove it."""
    return labels_of(service).get(MANAGED_LABEL) == ON_START


def outdated(stored: Iterable[Object], wanted: Iterable[Object]) -> Iterator[Object]:
    """What servers made for group versions that this one does not serve."""
    names = set(map(name_of, wanted))
    return (one for one in stored if is_managed(one) and name_of(one) not in names)


def with_condition(service: Object, condition: Object) -> Object:
    """The APIService in this condition; the time stays where the status does."""
    status = service.setdefault("status", {})
    stored = find_condition(service, AVAILABLE)
    if stored is not None and stored.get("status") == condition["status"]:
        condition = {**condition, "lastTransitionTime": stored.get("lastTransitionTime")}
    others = [one for one in status.get("conditions") or [] if one.get("type") != AVAILABLE]
    status["conditions"] = [*others, condition]
    return service


def is_in_condition(service: Object, condition: Object) -> bool:
    """Whether the condition is stored as it is, whenever it came about."""
    stored = find_condition(service, AVAILABLE) or {}
    return all(stored.get(field) == condition[field] for field in ("status", "reason", "message"))
