"""Which APIService objects this server wants, and how a condition is put into one. Pure.

Source: the autoregistration and availability controllers of kube-aggregator v1.35.
"""

from collections.abc import Iterable, Iterator

from control_plane.api.api_groups import CUSTOM_GROUP_PRIORITY, group_priority, version_priority
from control_plane.api.custom.definition import Definition
from control_plane.api.objects import Object, find_condition, labels_of, name_of
from control_plane.api.preparation.api_services import AVAILABLE
from control_plane.api.resources import APISERVICES, Resource

MANAGED_LABEL = "kube-aggregator.kubernetes.io/automanaged"
ON_START = "onstart"  # made at a start, and the user's own from then on
ALWAYS = "true"  # made again whenever it is gone
CUSTOM_VERSION_PRIORITY = 100


def local_api_services(rows: Iterable[Resource]) -> list[Object]:
    """The APIService of each group version, but for that which serves APIServices themselves."""
    served = {(row.group, row.version) for row in rows} - {(APISERVICES.group, "v1")}
    return [
        _local(*pair, ON_START, (group_priority(pair[0]), version_priority(*pair)))
        for pair in sorted(served)
    ]


def custom_api_services(
    definitions: Iterable[Definition], taken: Iterable[tuple[str, str]]
) -> list[Object]:
    """The APIService of each group version in which a definition has a served version.

    `taken` are the group versions of built-in kinds.
    """
    served = {
        (definition.group, kind.version)
        for definition in definitions
        for kind in definition.kinds.values()
        if kind.is_served
    }
    priorities = (CUSTOM_GROUP_PRIORITY, CUSTOM_VERSION_PRIORITY)
    return [_local(*pair, ALWAYS, priorities) for pair in sorted(served.difference(taken))]


def _local(group: str, version: str, managed: str, priorities: tuple[int, int]) -> Object:
    return {
        "metadata": {"name": f"{version}.{group}", "labels": {MANAGED_LABEL: managed}},
        "spec": {
            **({"group": group} if group else {}),
            "version": version,
            "groupPriorityMinimum": priorities[0],
            "versionPriority": priorities[1],
        },
    }


def managed(service: Object) -> str:
    """How servers manage it: ON_START, ALWAYS, or not at all."""
    return labels_of(service).get(MANAGED_LABEL) or ""


def outdated(stored: Iterable[Object], wanted: Iterable[Object], how: str) -> Iterator[Object]:
    """What servers made so for group versions that this one does not serve."""
    names = set(map(name_of, wanted))
    return (one for one in stored if managed(one) == how and name_of(one) not in names)


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
