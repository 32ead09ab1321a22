"""Request bodies become objects: syntax, kind, types, and unknown or repeated fields.

`decode_object` is for POST and PUT, `check_patched` for the result of a patch. What strict decoding
objects to is an error, a list of warnings, or nothing, as the fieldValidation parameter says.
Everything refused here is a 400, or the 422 that upstream answers about a patch. Pure; called by
the API server before defaulting.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api import yaml_syntax
from control_plane.api.errors import ApiError, BadRequest
from control_plane.api.field_error import invalid
from control_plane.api.go_text import go_kind
from control_plane.api.json_syntax import JsonSyntaxError, decode, decode_with_repeats
from control_plane.api.schema import schema
from control_plane.api.typed_json import Typed, read_typed
from control_plane.api.typed_scalars import TypeMismatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.objects import Object
    from control_plane.api.resource import Resource

JSON: Final = "application/json"
YAML: Final = "application/yaml"
_SUMMARY_BYTES: Final = 30
_IDENTITY: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


class Directive(StrEnum):
    """What to do about fields that strict decoding objects to."""

    IGNORE = "Ignore"
    WARN = "Warn"
    STRICT = "Strict"


class Decoded(NamedTuple):
    """An object with only known fields of the right types, and the warnings to send with it."""

    obj: Object
    warnings: tuple[str, ...] = ()


class Expected(NamedTuple):
    """What a body must be. `definition` is needed only for kinds that many groups share.

    `read` reads kinds that have no definition here: custom resources.
    """

    api_version: str
    kind: str
    definition: str = ""
    read: Callable[[Object], Typed] | None = None

    @classmethod
    def of(cls, resource: Resource) -> Expected:
        """Expect an object of this resource."""
        read = resource.custom.read if resource.custom is not None else None
        return cls(resource.api_version, resource.kind, read=read)

    @property
    def schema_name(self) -> str:
        """The definition to read by; "" for a kind the schema does not know."""
        return self.definition or schema().name_for(self.api_version, self.kind) or ""


def decode_object(
    body: bytes, expected: Expected, directive: Directive, media_type: str = JSON
) -> Decoded:
    """Return the object of a request body. A missing apiVersion or kind is the expected one.

    Raises BadRequest with upstream's text for bad syntax, another kind or version, a wrong type
    and, when strict, unknown or repeated fields.
    """
    value, repeats = _parse(body, expected, directive, media_type)
    given_kind, given_version = _identity(value, expected, body)
    refusal = f'{given_kind} in version "{given_version.rpartition("/")[2]}" cannot be handled as a'
    other = _identity_trouble(given_kind, given_version, expected)
    if other:
        raise BadRequest(f"{refusal} {expected.kind}: {other}")
    if given_version != expected.api_version:
        raise BadRequest(
            f"the API version in the data ({given_version}) does not match the expected API "
            f"version ({expected.api_version})"
        )
    try:
        typed = _read(value, expected)
    except TypeMismatch as error:
        raise BadRequest(f"{refusal} {expected.kind}: {error}") from None
    findings = (*repeats, *typed.findings)
    if directive is Directive.STRICT and findings:
        shown = _joined(repeats, typed.findings)
        raise BadRequest(f"{refusal} {expected.kind}: strict decoding error: {shown}")
    obj = {**typed.value, **_identity_of(expected, given_kind, given_version)}
    return Decoded(obj, () if directive is Directive.IGNORE else findings)


def _identity_of(expected: Expected, kind: str, api_version: str) -> Object:
    """Return the type that an object says it is of: a custom resource says it itself."""
    if expected.read is not None:
        return {"apiVersion": api_version, "kind": kind}
    return {"apiVersion": expected.api_version, "kind": expected.kind}


def _joined(yaml_repeats: tuple[str, ...], findings: tuple[str, ...]) -> str:
    if not yaml_repeats:
        return ", ".join(findings)
    lines = "".join(f"\n  {line}" for line in yaml_repeats)
    return ", ".join([f"yaml: unmarshal errors:{lines}", *findings])


def _parse(
    body: bytes, expected: Expected, directive: Directive, media_type: str
) -> tuple[Any, tuple[str, ...]]:
    try:
        if media_type == YAML:
            return yaml_syntax.decode(body)
        strict = directive is not Directive.IGNORE
        return (decode_with_repeats(body) if strict else decode(body)), ()
    except JsonSyntaxError as error:
        trouble = f"couldn't get version/kind; json parse error: {error}"
        raise _unrecognized(trouble, expected, body) from None
    except yaml_syntax.YamlSyntaxError as error:
        raise _unrecognized(f"error converting YAML to JSON: {error}", expected, body) from None


def _unrecognized(trouble: str, expected: Expected, body: bytes) -> BadRequest:
    return BadRequest(
        f"the object provided is unrecognized (must be of type {expected.kind}): {trouble} "
        f"({summarize(body)})"
    )


def summarize(body: bytes) -> str:
    """Return the beginning of a body as error messages show it."""
    if not body:
        return "<empty>"
    start = body[:_SUMMARY_BYTES]
    more = " ..." if len(body) > _SUMMARY_BYTES else ""
    if body.startswith(b"{"):
        return start.decode(errors="replace") + more
    return start.hex() + more


def _identity(value: Any, expected: Expected, body: bytes) -> tuple[str, str]:
    """Return the kind and apiVersion of a body, the expected ones where it names none."""
    trouble = ""
    if not isinstance(value, dict):
        trouble = f"json: cannot unmarshal {go_kind(value)} into Go value of type {_IDENTITY}"
        value = {}
    found = [value.get(field) or "" for field in ("kind", "apiVersion")]
    for name, given in zip(("kind", "apiVersion"), found, strict=True):
        if not isinstance(given, str):
            target = f"Go struct field .{name} of type string"
            trouble = f"json: cannot unmarshal {go_kind(given)} into {target}"
    if trouble:
        message = f"couldn't get version/kind; json parse error: {trouble}"
        raise _unrecognized(message, expected, body)
    return found[0] or expected.kind, found[1] or expected.api_version


def _identity_trouble(kind: str, api_version: str, expected: Expected) -> str:
    """Return why an object of this kind is not the expected one, "" when it is."""
    if (kind, api_version) == (expected.kind, expected.api_version):
        return ""
    if expected.read is not None:
        return ""  # the rules of custom resources tell of another kind
    if schema().name_for(api_version, kind) is None:
        return (
            f'no kind "{kind}" is registered for version "{api_version}" in scheme '
            '"pkg/api/legacyscheme/scheme.go:30"'
        )
    if kind == expected.kind:
        return ""
    group = expected.api_version.rpartition("/")[0].partition(".")[0] or "core"
    version = api_version.rpartition("/")[2]
    return f"converting ({version}.{kind}) to ({group}.{expected.kind}): unknown conversion"


def _read(value: Object, expected: Expected) -> Typed:
    """Read the body by its definition; a kind without one is taken as it is."""
    try:
        if expected.read is not None:
            return expected.read(value)
        name = expected.schema_name
        return read_typed(value, name) if name else Typed(value, ())
    except RecursionError:
        raise TypeMismatch("exceeded max depth") from None


def check_patched_identity(patched: Object, expected: Expected, shown: str) -> None:
    """Raise the API's 422 when a patch has made an object one of another kind or version.

    Only JSON and merge patches can: a strategic merge is read by the type of what it changes.
    """
    if expected.read is not None:
        return
    kind, api_version = (patched.get(field) or "" for field in ("kind", "apiVersion"))
    if not (isinstance(kind, str) and isinstance(api_version, str)):
        return  # its fields have the wrong type, which is said elsewhere
    given = (kind or expected.kind, api_version or expected.api_version)
    trouble = _identity_trouble(*given, expected)
    if trouble:
        raise _patch_refused(shown, trouble)
    if given[1] != expected.api_version:
        raise BadRequest(
            f"the API version in the data ({given[1]}) does not match the expected API "
            f"version ({expected.api_version})"
        )


def check_patched(
    patched: Object,
    expected: Expected,
    directive: Directive,
    shown: str,
    objections: tuple[str, ...] = (),
) -> Decoded:
    """Return the clean form of a patched object.

    `shown` is the patch or the patched JSON, as messages about it print it; `objections` are those
    to the patch itself. Raises the API's 422, which names no object, for wrong types and, when
    strict, for what strict decoding objects to.
    """
    try:
        typed = _read(patched, expected)
    except TypeMismatch as error:
        raise _patch_refused(shown, str(error)) from None
    findings = (*objections, *sorted(typed.findings))
    if directive is Directive.STRICT and findings:
        raise _patch_refused(shown, f"strict decoding error: {', '.join(findings)}")
    kind, version = (str(patched.get(field) or "") for field in ("kind", "apiVersion"))
    obj = {**typed.value, **_identity_of(expected, kind, version)}
    return Decoded(obj, () if directive is Directive.IGNORE else findings)


def _patch_refused(shown: str, trouble: str) -> ApiError:
    error = invalid("patch", shown, trouble)
    return ApiError(
        f' "" is invalid: {error}',
        details={"causes": [error.cause()]},
        code=422,
        reason="Invalid",
    )
