"""Rules of pod templates that are objects of their own.

Called through the VALIDATORS table. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.validation.controlled_pods import validate_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object


def validate_pod_template(template: Object) -> Iterator[FieldError]:
    """Check a PodTemplate."""
    yield from validate_template(template.get("template") or {}, "template")
