"""Rules of CustomResourceDefinitions, in the form they are stored in (v1beta1).

Called through the VALIDATORS table. Source: v1.35 apiextensions validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from control_plane.api.certificate_pem import authorities_trouble
from control_plane.api.objects import annotations_of, dig, find_condition, name_of
from control_plane.api.validation import formats
from control_plane.api.validation.custom_resource_schemas import validate_schema
from control_plane.api.validation.custom_resource_views import (
    validate_columns,
    validate_selectable_fields,
    validate_subresources,
)
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.schema_rules import validate_rules
from control_plane.api.validation.webhook_clients import validate_client_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

APPROVED: Final = "api-approved.kubernetes.io"
_PROTECTED: Final = ("k8s.io", "kubernetes.io")
_SEE: Final = "see https://github.com/kubernetes/enhancements/pull/1111"
_APPROVAL: Final = f'protected groups must have approval annotation "{APPROVED}"'
_REVIEW_VERSIONS: Final = ("v1", "v1beta1")
_WEBHOOK_ONLY: Final = "should not be set when strategy is not set to Webhook"
MAX_WARNING: Final = 256


def validate_definition(definition: Object) -> Iterator[FieldError]:
    """Check a new CustomResourceDefinition."""
    yield from _validate_name(definition)
    spec = definition.get("spec") or {}
    yield from _validate_spec_and_rules(spec, {})
    yield from _validate_stored_versions(definition)
    yield from _validate_approval(definition)


def validate_definition_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update: its group and plural stay, once it is established its kind and scope too."""
    spec, stored = new.get("spec") or {}, old.get("spec") or {}
    yield from _validate_spec_and_rules(spec, stored)
    yield from _validate_stored_versions(new)
    names, stored_names = (each.get("names") or {} for each in (spec, stored))
    established = (find_condition(old, "Established") or {}).get("status") == "True"
    for path, value, before, fixed in (
        ("spec.group", spec.get("group"), stored.get("group"), True),
        ("spec.names.plural", names.get("plural"), stored_names.get("plural"), True),
        ("spec.scope", spec.get("scope"), stored.get("scope"), established),
        ("spec.names.kind", names.get("kind"), stored_names.get("kind"), established),
    ):
        if fixed and value != before:
            yield invalid(path, value, IMMUTABLE)
    yield from _validate_bundle(spec, stored)
    if annotations_of(new).get(APPROVED) != annotations_of(old).get(APPROVED):
        yield from _validate_approval(new)


def _validate_bundle(spec: Object, stored: Object) -> Iterator[FieldError]:
    """Refuse a conversion webhook's bundle that is of no use in the place of one that is."""
    bundle, before = (
        dig(one, "conversion", "webhookClientConfig", "caBundle", default="")
        for one in (spec, stored)
    )
    trouble = authorities_trouble(bundle)
    if trouble and before and not authorities_trouble(before):
        yield invalid("spec.conversion.webhookClientConfig.caBundle", bundle, trouble)


def validate_definition_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check an update of the status."""
    yield from _validate_stored_versions(new)
    accepted = (new.get("status") or {}).get("acceptedNames") or {}
    yield from _validate_names(accepted, "status.acceptedNames")


def _validate_name(definition: Object) -> Iterator[FieldError]:
    spec = definition.get("spec") or {}
    plural = (spec.get("names") or {}).get("plural") or ""
    if name_of(definition) != f"{plural}.{spec.get('group') or ''}":
        detail = 'must be spec.names.plural+"."+spec.group'
        yield invalid("metadata.name", name_of(definition), detail)


def _validate_spec_and_rules(spec: Object, stored: Object) -> Iterator[FieldError]:
    """Check a spec, and then the expressions of those of its schemas that are new."""
    errors = list(_validate_spec(spec))
    yield from errors
    if errors:
        return
    known = [schema for schema, _ in _schemas(stored)]
    for schema, path in _schemas(spec):
        if schema not in known:
            yield from validate_rules(schema, path)


def _schemas(spec: Object) -> Iterator[tuple[Object, str]]:
    common = (spec.get("validation") or {}).get("openAPIV3Schema")
    if common:
        yield common, "spec.validation.openAPIV3Schema"
    for index, version in enumerate(spec.get("versions") or ()):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema:
            yield schema, f"spec.versions[{index}].schema.openAPIV3Schema"


def _validate_spec(spec: Object) -> Iterator[FieldError]:
    group = spec.get("group") or ""
    errors = formats.dns1123_subdomain(group)
    if not group:
        yield required("spec.group")
    elif errors:
        yield invalid("spec.group", group, ",".join(errors))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    scope = spec.get("scope") or ""
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    if spec.get("preserveUnknownFields"):
        detail = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        yield invalid("spec.preserveUnknownFields", True, detail)
    yield from _validate_versions(spec)
    names = spec.get("names") or {}
    for field in ("plural", "singular", "kind", "listKind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    yield from _validate_names(names, "spec.names")
    yield from _validate_parts(spec, "spec", "validation", spec)
    yield from _validate_conversion(spec.get("conversion") or {}, "spec.conversion")


def _has_status(owner: Object) -> bool:
    return (owner.get("subresources") or {}).get("status") is not None


def _validate_versions(spec: Object) -> Iterator[FieldError]:
    versions, path = spec.get("versions") or [], "spec.versions"
    has_schema = bool((spec.get("validation") or {}).get("openAPIV3Schema"))
    for index, version in enumerate(versions):
        if not has_schema and not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"{path}[{index}].schema.openAPIV3Schema")
    for index, version in enumerate(versions):
        where, name = f"{path}[{index}]", version.get("name") or ""
        errors = formats.dns1035_label(name)
        if errors:
            yield invalid(f"{where}.name", name, ",".join(errors))
        yield from _validate_warning(version, where)
        yield from _validate_parts(version, where, "schema", spec)
    names = [version.get("name") for version in versions]
    if len(set(names)) < len(names):
        yield invalid(path, list(map(_shown, versions)), "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        yield invalid(path, list(map(_shown, versions)) or spec.get("versions"), detail)
    first = spec.get("version") or ""
    errors = formats.dns1035_label(first) if first else []
    if errors:
        yield invalid("spec.version", first, ",".join(errors))


def _shown(version: Object) -> Object:
    """A version as upstream prints it."""
    return {
        "Name": version.get("name") or "",
        "Served": bool(version.get("served")),
        "Storage": bool(version.get("storage")),
        "Deprecated": bool(version.get("deprecated")),
        "DeprecationWarning": version.get("deprecationWarning"),
        "Schema": version.get("schema"),
        "Subresources": version.get("subresources"),
        "AdditionalPrinterColumns": version.get("additionalPrinterColumns"),
        "SelectableFields": version.get("selectableFields"),
    }


def _validate_warning(version: Object, path: str) -> Iterator[FieldError]:
    warning, where = version.get("deprecationWarning"), f"{path}.deprecationWarning"
    if warning is None:
        return
    if not version.get("deprecated"):
        yield invalid(where, warning, "can only be set for deprecated versions")
    if len(warning) > MAX_WARNING:
        yield invalid(where, warning, f"must be <= {MAX_WARNING} characters long")
    if not warning:
        yield invalid(where, warning, "must not be an empty string")
    for index, character in enumerate(warning):
        if not character.isprintable():
            detail = (
                "must only contain printable UTF-8 characters; non-printable character found at "
                f"index {index}"
            )
            yield invalid(where, warning, detail)
            return


def _validate_parts(
    owner: Object, path: str, schema_field: str, spec: Object
) -> Iterator[FieldError]:
    """Check what stands in a version, or above them all where they have it in common."""
    has_status = _has_status(spec) or _has_status(owner)
    common = (spec.get("validation") or {}).get("openAPIV3Schema")
    schema = (owner.get(schema_field) or {}).get("openAPIV3Schema")
    if schema is not None:
        where = f"{path}.{schema_field}.openAPIV3Schema"
        yield from validate_schema(schema, where, has_status=has_status)
    yield from validate_subresources(owner.get("subresources") or {}, f"{path}.subresources")
    columns = owner.get("additionalPrinterColumns") or []
    yield from validate_columns(columns, f"{path}.additionalPrinterColumns")
    fields = owner.get("selectableFields") or []
    described = schema or common or {}
    yield from validate_selectable_fields(fields, described, f"{path}.selectableFields")


def _validate_names(names: Object, path: str) -> Iterator[FieldError]:
    for field in ("plural", "singular"):
        yield from _validate_label(names.get(field) or "", f"{path}.{field}")
    for field in ("kind", "listKind"):
        kind = names.get(field) or ""
        errors = formats.dns1035_label(kind.lower()) if kind else []
        if errors:
            detail = f"may have mixed case, but should otherwise match: {','.join(errors)}"
            yield invalid(f"{path}.{field}", kind, detail)
    for index, name in enumerate(names.get("shortNames") or ()):
        yield from invalid_each(f"{path}.shortNames[{index}]", name, formats.dns1035_label(name))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        detail = "kind and listKind may not be the same"
        yield invalid(f"{path}.listKind", names["listKind"], detail)
    for index, name in enumerate(names.get("categories") or ()):
        yield from invalid_each(f"{path}.categories[{index}]", name, formats.dns1035_label(name))


def _validate_label(name: str, path: str) -> Iterator[FieldError]:
    errors = formats.dns1035_label(name) if name else []
    if errors:
        yield invalid(path, name, ",".join(errors))


def _validate_conversion(conversion: Object, path: str) -> Iterator[FieldError]:
    strategy = conversion.get("strategy") or ""
    config, versions = (
        conversion.get(field) for field in ("webhookClientConfig", "conversionReviewVersions")
    )
    if not strategy:
        yield required(f"{path}.strategy")
    elif strategy not in ("None", "Webhook"):
        yield not_supported(f"{path}.strategy", strategy, ("None", "Webhook"))
    if strategy != "Webhook":
        if config is not None:
            yield forbidden(f"{path}.webhookClientConfig", _WEBHOOK_ONLY)
        if versions:
            yield forbidden(f"{path}.conversionReviewVersions", _WEBHOOK_ONLY)
        return
    if config is None:
        detail = "required when strategy is set to Webhook"
        yield required(f"{path}.webhookClientConfig", detail)
    else:
        yield from validate_client_config(config, f"{path}.webhookClientConfig")
    yield from _validate_review_versions(versions or [], f"{path}.conversionReviewVersions")


def _validate_review_versions(versions: list[str], path: str) -> Iterator[FieldError]:
    if not versions:
        yield required(path)
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{path}[{index}]", version, "duplicate version")
        yield from invalid_each(f"{path}[{index}]", version, formats.dns1035_label(version))
    if not set(versions) & set(_REVIEW_VERSIONS):
        detail = f"must include at least one of {', '.join(_REVIEW_VERSIONS)}"
        yield invalid(path, versions, detail)


def _validate_stored_versions(definition: Object) -> Iterator[FieldError]:
    path, versions = "status.storedVersions", (definition.get("spec") or {}).get("versions") or []
    stored = (definition.get("status") or {}).get("storedVersions") or []
    if not stored:
        yield invalid(path, None, "must have at least one stored version")
    names = [version.get("name") for version in versions]
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            yield invalid(path, stored, f"must have the storage version {version.get('name')}")
    for index, name in enumerate(stored):
        if name not in names:
            detail = (
                f"missing from spec.versions; {name} was previously a storage version, and must "
                "remain in spec.versions until a storage migration ensures no data remains "
                f"persisted in {name} and removes {name} from status.storedVersions"
            )
            yield invalid(f"{path}[{index}]", name, detail)


def _validate_approval(definition: Object) -> Iterator[FieldError]:
    group = (definition.get("spec") or {}).get("group") or ""
    if not any(group == one or group.endswith(f".{one}") for one in _PROTECTED):
        return
    path = f"metadata.annotations[{APPROVED}]"
    approval = annotations_of(definition).get(APPROVED) or ""
    if not approval:
        yield required(path, f"{_APPROVAL}, {_SEE}")
    elif not approval.startswith("unapproved") and not _is_url(approval):
        yield invalid(
            path,
            approval,
            f'{_APPROVAL} with either a URL or a reason starting with "unapproved", {_SEE}',
        )


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)
