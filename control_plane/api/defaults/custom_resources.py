"""Defaults of CustomResourceDefinitions.

Called through the DEFAULTS table. Source: v1.35 apiextensions/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def default_custom_resource_definition(definition: Object) -> None:
    """Fill one CustomResourceDefinition in place."""
    spec = part(definition, "spec")
    names = part(spec, "names")
    kind = names.get("kind") or ""
    fill_empty(names, "singular", kind.lower())
    if kind:
        fill_empty(names, "listKind", f"{kind}List")
    fill_absent(spec, "conversion", {"strategy": "None"})
    for service in parts(spec, "conversion", "webhook", "clientConfig", "service"):
        fill_absent(service, "port", 443)
    stored = [
        version.get("name") for version in spec.get("versions") or () if version.get("storage")
    ]
    if stored:
        fill_empty(part(definition, "status"), "storedVersions", stored[:1])
