"""CustomResourceDefinitions: v1, which is served, as v1beta1, which is stored, and back.

What all versions have in common stands once above them in v1beta1; columns are called by JSONPath
there, and a conversion webhook is flat. Source: v1.35 apiextensions conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from control_plane.api.objects import Object

GROUP: Final = "apiextensions.k8s.io"
# of a version, and what the same is called above all versions
_SHARED: Final = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
_COLUMNS: Final = "additionalPrinterColumns"


def v1beta1_of_v1(definition: Object) -> Object:
    """Return the v1beta1 form of a v1 CustomResourceDefinition."""
    spec = dict(definition.get("spec") or {})
    versions = [_columns(version, "jsonPath", "JSONPath") for version in spec.get("versions") or ()]
    for field, above in _SHARED.items():
        values = [version.get(field) for version in versions]
        if values and values[0] is not None and all(value == values[0] for value in values):
            spec[above] = values[0]
            versions = [_without(version, field) for version in versions]
    if versions:
        spec["version"] = versions[0].get("name") or ""
    spec.setdefault("preserveUnknownFields", False)  # v1beta1 means True without it
    if "versions" in spec:
        spec["versions"] = versions
    if spec.get("conversion") is not None:
        spec["conversion"] = _flat(spec["conversion"])
    return {**definition, "apiVersion": f"{GROUP}/v1beta1", "spec": spec}


def v1_of_v1beta1(definition: Object) -> Object:
    """Return the v1 form of a v1beta1 CustomResourceDefinition."""
    spec = dict(definition.get("spec") or {})
    named = spec.pop("version", None)
    versions = spec.get("versions") or []
    if not versions and named:
        versions = [{"name": named, "served": True, "storage": True}]
    for field, above in _SHARED.items():
        shared = spec.pop(above, None)
        if shared is not None:
            versions = [{**version, field: version.get(field, shared)} for version in versions]
    if versions:
        spec["versions"] = [_columns(version, "JSONPath", "jsonPath") for version in versions]
    if spec.get("conversion") is not None:
        spec["conversion"] = _nested(spec["conversion"])
    if spec.get("preserveUnknownFields") is False:
        del spec["preserveUnknownFields"]
    return {**definition, "apiVersion": f"{GROUP}/v1", "spec": spec}


def _without(owner: Object, field: str) -> Object:
    return {key: value for key, value in owner.items() if key != field}


def _columns(version: Object, old: str, new: str) -> Object:
    """Return a version whose columns say `new` where they said `old`."""
    if not version.get(_COLUMNS):
        return version
    renamed = [
        {new if key == old else key: value for key, value in column.items()}
        for column in version[_COLUMNS]
    ]
    return {**version, _COLUMNS: renamed}


def _flat(conversion: Object) -> Object:
    webhook = conversion.get("webhook")
    flat = _without(conversion, "webhook")
    if webhook is None:
        return flat
    if webhook.get("clientConfig") is not None:
        flat["webhookClientConfig"] = webhook["clientConfig"]
    return {**flat, "conversionReviewVersions": webhook.get("conversionReviewVersions") or []}


def _nested(conversion: Object) -> Object:
    config, versions = (
        conversion.get(field) for field in ("webhookClientConfig", "conversionReviewVersions")
    )
    rest = _without(_without(conversion, "webhookClientConfig"), "conversionReviewVersions")
    if config is None and not versions:
        return rest
    webhook = {"clientConfig": config} if config is not None else {}
    return {**rest, "webhook": {**webhook, "conversionReviewVersions": versions or []}}
