"""Since when an endpoints object has been out of date: the annotation that latency is measured by.

Of what changed since the last look (the service, its pods), the earliest time counts. Remembers one
time per pod of each service with endpoints; forgets a service with `forget`.
Source: kubernetes staging endpointslice/trigger_time_tracker.go.
"""

from collections.abc import Iterable, Mapping

from control_plane.api.objects import Object, dig, find_condition, key_of, metadata_of

ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time"


class TriggerTimes:
    """The times that each service's endpoints were last computed from."""

    def __init__(self) -> None:
        """Start knowing no service."""
        self._seen: dict[str, Mapping[str, str]] = {}

    def observe(self, service: Object, pods: Iterable[Object]) -> str:
        """Return the earliest new time among the service and its pods, "" when nothing is new."""
        key = key_of(service)
        now = {name: time for name, time in _times(service, pods) if time}
        before = self._seen.get(key)
        self._seen[key] = now
        if before is None:
            return min(now.values(), default="")
        return min((time for name, time in now.items() if before.get(name) != time), default="")

    def forget(self, key: str) -> None:
        """Drop what is known of a service that is gone."""
        self._seen.pop(key, None)


def _times(service: Object, pods: Iterable[Object]) -> Iterable[tuple[str, str]]:
    yield "", str(metadata_of(service).get("creationTimestamp") or "")
    for pod in pods:
        ready = find_condition(pod, "Ready") or {}
        created = dig(pod, "metadata", "creationTimestamp", default="")
        yield key_of(pod), str(ready.get("lastTransitionTime") or created)
