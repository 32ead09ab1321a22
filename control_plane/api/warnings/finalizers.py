"""Warnings of finalizers whose names others may take too; built-in kinds refuse most of these.

Called by the entry points of this package, of custom resources. Source: v1.35 customresource
strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.go_syntax import quote
from control_plane.api.objects import finalizers_of
from control_plane.api.validation.metadata import STANDARD_FINALIZERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.objects import Object


def warn_of_finalizers(new: Object, old: Object) -> Iterator[str]:
    """Warn of finalizers that `old`, {} for none, does not have and that no path tells apart."""
    for finalizer in sorted(set(finalizers_of(new)).difference(finalizers_of(old))):
        if "/" in finalizer or finalizer in STANDARD_FINALIZERS:
            continue
        wanted = "name including a path (/)" if "." in finalizer else "name"
        yield (
            f"metadata.finalizers: {quote(finalizer)}: prefer a domain-qualified finalizer "
            f"{wanted} to avoid accidental conflicts with other finalizer writers"
        )
