"""Where a custom resource has the numbers of its scale. Source: apiextensions v1.35. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from control_plane.api.apply.field_path import FIELD
from control_plane.api.custom.value_validation import type_name
from control_plane.api.field_error import FieldError, invalid
from control_plane.api.objects import deep_copy, dig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.objects import Object

MAX_REPLICAS: Final = 2**31 - 1
_GO_TYPES: Final = {
    "string": "string", "boolean": "bool", "number": "float64",
    "object": "map[string]interface {}", "array": "[]interface {}",
}  # fmt: skip


class ScalePaths(NamedTuple):
    """Paths as the definition writes them (".spec.replicas"); `selector` is "" without one."""

    spec: str
    status: str
    selector: str = ""

    @classmethod
    def of(cls, scale: Mapping[str, Any]) -> Self:
        """Read the paths of a version's scale subresource."""
        return cls(
            scale.get("specReplicasPath") or "",
            scale.get("statusReplicasPath") or "",
            scale.get("labelSelectorPath") or "",
        )

    @property
    def owned_path(self) -> tuple[str, ...]:
        """Where the replicas are, as a path of owned fields."""
        return tuple(FIELD + step for step in steps_of(self.spec))

    def replicas(self, obj: Object) -> int | None:
        """Return the replicas that are wanted; None where the object does not say."""
        found = dig(obj, *steps_of(self.spec))
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def with_replicas(self, obj: Object, replicas: int) -> Object:
        """Return the object wanting that many replicas."""
        changed = deep_copy(obj)
        *above, last = steps_of(self.spec)
        place = changed
        for step in above:
            if not isinstance(place.get(step), dict):
                place[step] = {}
            place = place[step]
        place[last] = replicas
        return changed

    def status_of(self, obj: Object) -> Object:
        """Return the scale's status."""
        count = dig(obj, *steps_of(self.status), default=0)
        status: Object = {"replicas": count if isinstance(count, int) else 0}
        selector = dig(obj, *steps_of(self.selector), default="") if self.selector else ""
        if isinstance(selector, str) and selector:
            status["selector"] = selector
        return status

    def spec_violations(self, obj: Object) -> Iterator[FieldError]:
        """Yield what is wrong with the wanted number."""
        yield from _number(self.spec, dig(obj, *steps_of(self.spec)))

    def status_violations(self, obj: Object) -> Iterator[FieldError]:
        """Yield what is wrong with the present number, and with the selector."""
        yield from _number(self.status, dig(obj, *steps_of(self.status)))
        if self.selector:
            found = dig(obj, *steps_of(self.selector))
            if found is not None and not isinstance(found, str):
                yield _accessor_error(self.selector, "", found, "string")


def steps_of(path: str) -> list[str]:
    """Return the fields of a simple path."""
    return [step for step in path.split(".") if step]


def _number(path: str, found: Any) -> Iterator[FieldError]:
    if found is None:
        return
    if not isinstance(found, int) or isinstance(found, bool):
        yield _accessor_error(path, 0, found, "int64")
    elif found < 0:
        yield invalid(path, found, "should be a non-negative integer")
    elif found > MAX_REPLICAS:
        yield invalid(path, found, f"should be less than or equal to {MAX_REPLICAS}")


def _accessor_error(path: str, zero: Any, found: Any, wanted: str) -> FieldError:
    shown = _GO_TYPES.get(type_name(found), "int64")
    value = found if isinstance(found, str | int) else shown
    detail = f"{path} accessor error: {value} is of the type {shown}, expected {wanted}"
    return invalid(path, zero, detail)
