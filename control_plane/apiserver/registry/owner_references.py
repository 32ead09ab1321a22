"""Owner references that an object has twice: only one of each is kept, and the client is warned.

Called for bodies and for patched objects. Pure. Source: the create, update and patch handlers of
Kubernetes v1.35.
"""

from collections.abc import Callable
from typing import Any

from control_plane.api.objects import Object

_WHAT_HAPPENS = (
    "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; "
    "please fix your requests; duplicate UID(s) observed: "
)
IN_BODY = f".metadata.ownerReferences contains duplicate entries; {_WHAT_HAPPENS}"
IN_PATCHED = (
    ".metadata.ownerReferences contains duplicate entries after mutating admission happens; "
    f"{_WHAT_HAPPENS}"
)


def drop_repeated_owners(obj: Object, warn: Callable[[str], None], text: str) -> None:
    """Keep the first of equal references; `text` is the warning without the uids."""
    references = obj["metadata"].get("ownerReferences")
    if not references or len(references) < 2:
        return
    kept: list[Any] = []
    repeated = []
    for reference in references:
        if reference in kept:
            repeated.append(str(reference.get("uid", "")))
        else:
            kept.append(reference)
    if repeated:
        obj["metadata"]["ownerReferences"] = kept
        warn(text + ", ".join(repeated))
