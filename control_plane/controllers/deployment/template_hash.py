"""The pod-template-hash: a short name for a pod template. Pure.

Only two properties count: the same template always gives the same hash, and different ones almost
never do; `status.collisionCount` tells them apart when they do. So the hash is over our own
canonical form, JSON with sorted keys and without empty members.
"""

from typing import Any

import orjson

from control_plane.api.names import fnv1a_32, safe_encode
from control_plane.api.objects import Object
from control_plane.api.semantics import is_empty


def pod_template_hash(template: Object, collision_count: int | None = None) -> str:
    """Return at most 10 characters; another collision_count gives another hash."""
    data = orjson.dumps(_canonical(template), option=orjson.OPT_SORT_KEYS)
    if collision_count is not None:
        data += collision_count.to_bytes(4, "little") + bytes(4)
    return safe_encode(str(fnv1a_32(data)))


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items() if not is_empty(item)}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value
