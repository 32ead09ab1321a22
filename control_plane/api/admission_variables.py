"""What expressions about admission may name: `object`, `oldObject` and `request`.

The match conditions of webhooks are such expressions. Their `authorizer` is not among the variables
yet, so that an expression with it is refused when it is written. Pure. Source: the environments of
admission in apiserver v1.35.
"""

from __future__ import annotations

import functools

from control_plane.api.cel import BOOL, DYN, STRING, Environment, Field, ObjectType, Program
from control_plane.api.cel.types import list_of, map_of

MAX_COMPILED = 1024  # expressions that are kept, of all that have been written


def _object(name: str, /, **fields: Field) -> ObjectType:
    return ObjectType(f"kubernetes.{name}", fields=fields)


def _strings(*names: str) -> dict[str, Field]:
    return {name: Field(name, STRING) for name in names}


_KIND = _object("GroupVersionKind", **_strings("group", "version", "kind"))
_RESOURCE = _object("GroupVersionResource", **_strings("group", "version", "resource"))
_USER = _object(
    "UserInfo",
    **_strings("username", "uid"),
    groups=Field("groups", list_of(STRING)),
    extra=Field("extra", map_of(STRING, list_of(STRING))),
)
REQUEST = _object(
    "AdmissionRequest",
    kind=Field("kind", _KIND, is_required=True),
    resource=Field("resource", _RESOURCE, is_required=True),
    requestKind=Field("requestKind", _KIND, is_required=True),
    requestResource=Field("requestResource", _RESOURCE, is_required=True),
    userInfo=Field("userInfo", _USER, is_required=True),
    dryRun=Field("dryRun", BOOL),
    options=Field("options", DYN),
    **_strings("subResource", "requestSubResource", "name", "namespace", "operation"),
)
_VARIABLES = {"object": DYN, "oldObject": DYN, "request": REQUEST}


@functools.cache
def _environment() -> Environment:
    return Environment(_VARIABLES)


@functools.lru_cache(MAX_COMPILED)
def match_condition(expression: str) -> Program:
    """The compiled expression of a match condition; raises CompileError."""
    return _environment().compile(expression, outputs=(BOOL,))
