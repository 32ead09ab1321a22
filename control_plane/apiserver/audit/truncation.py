"""Events that are too large for a backend: cut down, or left out. Pure.

Source: the truncating backend of Kubernetes v1.35.
"""

from collections.abc import Iterator, Sequence

import orjson

from control_plane.api.objects import Object

TRUNCATED = "audit.k8s.io/truncated"


def truncated(event: Object, max_bytes: int) -> Object | None:
    """The event, without its objects where it is too large with them; None where still is."""
    if len(orjson.dumps(event)) <= max_bytes:
        return event
    small = {k: v for k, v in event.items() if k not in ("requestObject", "responseObject")}
    small["annotations"] = {**event.get("annotations", {}), TRUNCATED: "true"}
    return small if len(orjson.dumps(small)) <= max_bytes else None


def divided(events: Sequence[Object], max_bytes: int) -> Iterator[list[Object]]:
    """The events in batches of at most `max_bytes`; one that is larger goes alone."""
    batch: list[Object] = []
    size = 0
    for event in events:
        length = len(orjson.dumps(event))
        if batch and size + length > max_bytes:
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
