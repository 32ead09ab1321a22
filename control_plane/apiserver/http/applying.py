"""One server-side apply: a configuration, applied to whatever state the object is in then.

Called by the PATCH of objects and of their scale. The pure part is control_plane.api.apply.
"""

from typing import Any, NamedTuple

from control_plane.api import yaml_syntax
from control_plane.api.apply import Applier, Endpoint, apply, conversion_error
from control_plane.api.errors import BadRequest
from control_plane.api.field_validation import Directive
from control_plane.api.go_text import go_kind
from control_plane.api.json_syntax import JsonSyntaxError, RepeatedKeys, decode_with_repeats
from control_plane.api.objects import Object, deep_copy
from control_plane.api.schema import schema
from control_plane.api.typed_json import read_typed
from control_plane.api.typed_scalars import TypeMismatch
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.yaml_form import read_beside
from control_plane.apiserver.registry.call import Call

_NOT_A_MAP = (
    "error unmarshaling JSON: while decoding JSON: "
    "json: cannot unmarshal {} into Go value of type map[string]interface {{}}"
)


class Configuration(NamedTuple):
    """A decoded configuration, and what is wrong with its keys."""

    value: Object
    repeats: tuple[str, ...] = ()


async def read_configuration(request: Request, body: bytes) -> Configuration:
    """The configuration in the body of a request: YAML or JSON. Raises BadRequest."""
    found = as_json(body)
    if found is None:
        found = await read_beside(body, as_yaml)
        if request.trail is not None:
            request.trail.note_patch(found.value)
    return found


class Applying:
    """A configuration for objects written through `endpoint`."""

    def __init__(
        self, configuration: Configuration, endpoint: Endpoint, call: Call, now: str
    ) -> None:
        """`now` is the write's time."""
        self._endpoint = endpoint
        self._call = call
        self._applier = Applier(call.field_manager, call.force, now)
        self._config, self._repeats = configuration
        self._definition = schema().name_for(endpoint.api_version, endpoint.kind)

    def apply(self, current: Object) -> Object:
        """The object with the configuration and its new owners; {} is an object yet to be made.

        Raises ApiError.
        """
        applied = apply(self._endpoint, current, self._config, self._applier)
        self._object_to_repeats()
        obj = self._typed(applied)
        return {**obj, "apiVersion": self._endpoint.api_version, "kind": self._endpoint.kind}

    def _typed(self, applied: Object) -> Object:
        """The object with fields of the right types and without its nulls."""
        reader = self._endpoint.reader
        if self._definition is None and reader is None:
            return deep_copy(applied)  # the configuration is needed again when a write loses
        try:
            if reader is not None:
                return dict(reader(applied).value)
            typed: Object = read_typed(applied, str(self._definition)).value
        except (TypeMismatch, RecursionError) as error:
            raise conversion_error(self._config, error) from None
        return typed

    def _object_to_repeats(self) -> None:
        """Refuse or warn of keys that the body has twice, as the call wants it."""
        if not self._repeats or self._call.field_validation == Directive.IGNORE:
            return
        if self._call.field_validation == Directive.STRICT:
            lines = "".join(f"\n  {line}" for line in self._repeats)
            raise BadRequest(
                "error strict decoding YAML: error converting YAML to JSON: "
                f"yaml: unmarshal errors:{lines}"
            )
        for line in self._repeats:
            self._call.warn(line)


def as_json(body: bytes) -> Configuration | None:
    """A configuration that is JSON without repeated keys, which is read faster; else None."""
    if body.lstrip()[:1] != b"{":
        return None
    try:
        value = decode_with_repeats(body)
    except JsonSyntaxError:
        return None
    return None if _has_repeats(value) else Configuration(value)


def as_yaml(body: bytes) -> Configuration:
    """Any configuration; raises BadRequest."""
    try:
        value, repeats = yaml_syntax.decode(body)
    except yaml_syntax.YamlSyntaxError as error:
        raise BadRequest(f"error decoding YAML: error converting YAML to JSON: {error}") from None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise BadRequest(f"error decoding YAML: {_NOT_A_MAP.format(go_kind(value))}")
    return Configuration(value, repeats)


def _has_repeats(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, RepeatedKeys):
            return True
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return False
