"""The types of expressions that change objects: Object{...} with its parts, and JSONPatch{...}.

`Object.spec.template{...}` may have any fields of any types: whether they are those of the kind
that is changed turns out when the change is made. Source: the mutation types of apiserver v1.35.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from control_plane.api.cel.functions import function
from control_plane.api.cel.types import DYN, STRING, Field, ObjectType, Type

ROOT: Final = "Object"


class _AnyFields(Mapping[str, Field]):
    """Every field there may be."""

    def __getitem__(self, name: str) -> Field:
        return Field(name, DYN)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_ANY_FIELDS: Final = _AnyFields()
OBJECT: Final = ObjectType(ROOT, fields=_ANY_FIELDS)
JSON_PATCH: Final = ObjectType(
    "JSONPatch",
    fields={
        **{name: Field(name, STRING) for name in ("op", "path", "from")},
        "value": Field("value", DYN),
    },
)


class _PatchTypes(Mapping[str, Type]):
    """JSONPatch, Object, and Object.a.b for all a and b."""

    def __getitem__(self, name: str) -> Type:
        if name == JSON_PATCH.name:
            return JSON_PATCH
        if name == ROOT or name.startswith(f"{ROOT}."):
            return ObjectType(name, fields=_ANY_FIELDS)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter((ROOT, JSON_PATCH.name))

    def __len__(self) -> int:
        return 2


PATCH_TYPES: Final = _PatchTypes()


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


LIBRARY: Final = (function("jsonpatch.escapeKey", (STRING,), STRING, _escaped),)
