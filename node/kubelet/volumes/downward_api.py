"""downwardAPI volumes: what a pod knows of itself, as files. Refreshed when labels or annotations
change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.kubelet.containers.references import (
    PodFacts,
    ReferenceFailure,
    field_value,
    resource_value,
)
from node.kubelet.volumes.base import FileContent, Payload, VolumeFailure, VolumeRequest, mode_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.objects import Object


async def downward_payload(request: VolumeRequest) -> Payload:
    """Return the files of a downwardAPI volume."""
    items = request.source.get("items") or ()
    return downward_files(request.facts, items, mode_of(request.source))


def downward_files(facts: PodFacts, items: Iterable[Object], mode: int) -> Payload:
    """Return one file an item."""
    try:
        return {item["path"]: _file(facts, item, mode) for item in items}
    except ReferenceFailure as error:
        raise VolumeFailure(str(error)) from error


def _file(facts: PodFacts, item: Object, mode: int) -> FileContent:
    if reference := item.get("fieldRef"):
        text = field_value(facts, reference["fieldPath"])
    else:
        text = resource_value(facts, item["resourceFieldRef"])
    return FileContent(text.encode(), mode_of(item, mode))
