"""semver('1.2.3'): semantic versions. Source: the semver library of Kubernetes, semver.org 2.0.0.

With `normalize`, a leading v and leading zeros go, and missing parts are zeros. Build metadata
does not count in comparisons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.functions import Function, Overload, member
from control_plane.api.cel.types import BOOL, INT, STRING, opaque
from control_plane.api.cel.values import MAX_UINT, register

SEMVER: Final = opaque("kubernetes.Semver")
_NUMBER: Final = "(0|[1-9][0-9]*)"
_PART: Final = "(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_SYNTAX: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PART}(?:\.{_PART})*))?(?:\+[0-9a-zA-Z.-]+)?"
)
_TRAILER: Final = re.compile(r"([^-+]*)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Semver:
    """Major, minor and patch; whether it is a release, which comes after its pre-releases; and
    the parts of the pre-release.
    """

    numbers: tuple[int, ...]
    is_release: bool
    parts: tuple[tuple[int, int, str], ...]


register(Semver, SEMVER.name)


def _read(text: str) -> Semver | None:
    match = _SYNTAX.fullmatch(text)
    if match is None:
        return None
    numbers = tuple(int(one) for one in match.groups()[:3])
    if max(numbers) > MAX_UINT:
        return None
    parts = tuple(_comparable(one) for one in (match[4] or "").split(".") if one)
    return Semver(numbers, not parts, parts)


def _comparable(part: str) -> tuple[int, int, str]:
    """Numbers before words; numbers by value."""
    return (0, int(part), "") if part.isdigit() else (1, 0, part)


def _normalized(text: str) -> str:
    match = _TRAILER.fullmatch(text.removeprefix("v"))
    assert match is not None
    parts = [one.lstrip("0") or "0" if one else one for one in match[1].split(".")]
    parts += ["0"] * (3 - len(parts))
    return ".".join(parts) + match[2]


def _parse(text: str, normalize: bool = False) -> Semver:
    found = _read(_normalized(text) if normalize else text)
    if found is None:
        raise EvaluationError(f"invalid semver: {text}")
    return found


def _is_semver(text: str, normalize: bool = False) -> bool:
    return _read(_normalized(text) if normalize else text) is not None


def _compare(one: Semver, other: Semver) -> int:
    return (one > other) - (one < other)


LIBRARY: Final = (
    Function(
        "semver",
        (Overload((STRING,), SEMVER, _parse), Overload((STRING, BOOL), SEMVER, _parse)),
    ),
    Function(
        "isSemver",
        (Overload((STRING,), BOOL, _is_semver), Overload((STRING, BOOL), BOOL, _is_semver)),
    ),
    member("isLessThan", (SEMVER, SEMVER), BOOL, lambda one, other: _compare(one, other) < 0),
    member("isGreaterThan", (SEMVER, SEMVER), BOOL, lambda one, other: _compare(one, other) > 0),
    member("compareTo", (SEMVER, SEMVER), INT, _compare),
    member("major", (SEMVER,), INT, lambda one: one.numbers[0]),
    member("minor", (SEMVER,), INT, lambda one: one.numbers[1]),
    member("patch", (SEMVER,), INT, lambda one: one.numbers[2]),
)
