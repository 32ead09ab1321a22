"""What a mutation makes of an object: a configuration merged into it, or a JSON patch applied.

The result is JSON that nobody has read by its type yet. Source: the patchers of mutating admission
policies, v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.apply.conformity import findings
from control_plane.api.apply.merging import merged
from control_plane.api.apply.shapes import (
    ListShape,
    MapShape,
    Scalar,
    Shape,
    ShapeError,
    concrete,
)
from control_plane.api.cel import Budget, CelError
from control_plane.api.cel.json_values import json_of
from control_plane.api.cel.values import ObjectValue
from control_plane.api.go_syntax import quote
from control_plane.api.objects import Object, deep_copy
from control_plane.api.patch import json_patch
from control_plane.api.policies.variables import with_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.policies.mutating import MutatingPolicy, Mutation


class MutationError(Exception):
    """A change that cannot be made: the failure policy decides."""


def mutated(
    policy: MutatingPolicy, mutation: Mutation, bindings: Mapping[str, Any], shape: MapShape
) -> Object:
    """Return `bindings["object"]` after one mutation of the policy; raises MutationError.

    `shape` is that of the object's kind. Neither the object nor the bindings are changed.
    """
    budget, obj = Budget(), bindings["object"]
    bound = with_variables(bindings, policy.variables, budget)
    try:
        value = mutation.expression.evaluate(bound, budget)
        if mutation.applies:
            return _applied(obj, value, shape)
        return _patched(obj, [_operation(one) for one in value])
    except CelError as error:
        raise MutationError(str(error)) from error


def _applied(obj: Object, value: ObjectValue, shape: MapShape) -> Object:
    _check_types(value, value.type_name)
    config = {**json_of(value), "apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    trouble = findings(shape, config)
    if trouble:
        raise _unfit(f"failed to convert patch object to typed object: {trouble}")
    atomic = ", ".join(_atomic(shape, config, ""))
    if atomic:
        raise _unfit(
            "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: " + atomic
        )
    try:
        return deep_copy(merged(shape, obj, config))
    except ShapeError as error:
        raise _unfit(f"failed to convert original object to typed object: {error}") from error


def _unfit(text: str) -> MutationError:
    return MutationError(f"error applying patch: {text}")


def _check_types(value: Any, path: str) -> None:
    """Raise MutationError where an Object.a.b{...} stands anywhere else than at a.b."""
    if isinstance(value, ObjectValue):
        if value.type_name != path:
            raise MutationError(
                f"type mismatch: unexpected type name {quote(value.type_name)}, expected "
                f"{quote(path)}, which matches field name path from root Object type"
            )
        for name, field in value.items():
            _check_types(field, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for item in value:
            _check_types(item, path)
    elif isinstance(value, dict):
        for item in value.values():
            _check_types(item, path)


def _atomic(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Yield the places of what is replaced as a whole; a part of it would remove the rest."""
    walked = concrete(shape, value)
    if isinstance(walked, Scalar):
        return
    if isinstance(walked, MapShape) and isinstance(value, dict):
        if walked.is_atomic:
            yield path
        for name, field in value.items():
            child = walked.child(name)
            if child is not None:
                yield from _atomic(child, field, f"{path}.{name}")
    elif isinstance(walked, ListShape) and isinstance(value, list):
        if walked.is_atomic:
            yield path
        for index, item in enumerate(value):
            yield from _atomic(walked.element, item, f"{path}[{index}]")


def _operation(value: Mapping[str, Any]) -> json_patch.Operation:
    operation: json_patch.Operation = {"op": value.get("op", ""), "path": value.get("path", "")}
    if value.get("from"):
        operation["from"] = value["from"]
    if "value" in value:
        given = value["value"]
        if isinstance(given, ObjectValue):
            _check_types(given, given.type_name)
        operation["value"] = json_of(given)
    if operation["op"] not in json_patch.KINDS:
        raise MutationError(f"JSON Patch: Unexpected kind: {operation['op']}")
    if operation["op"] in json_patch.WITH_SOURCE and "from" not in operation:
        raise MutationError(f"JSON Patch: {operation['op']} operation has no from: missing value")
    return operation


def _patched(obj: Object, operations: list[json_patch.Operation]) -> Object:
    """A patch of which a test fails changes nothing."""
    try:
        return json_patch.applied(obj, operations, adds_by_replacing=True)
    except json_patch.NotApplicable as error:
        if error.operation["op"] == "test":
            return obj
        kind, path = error.operation["op"], error.operation["path"]
        text = f"{kind} operation does not apply: doc is missing path: {path}: missing value"
        raise MutationError(f"JSON Patch: {text}") from error
