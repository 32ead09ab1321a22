"""Integers are read as Go reads them, and texts of any length are read at once."""

import pytest

from control_plane.api.integers import int64
from control_plane.api.resources import DEPLOYMENTS
from control_plane.api.validation import formats, validate_create


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("+7", 7),
        ("-7", -7),
        ("007", 7),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("", None),
        ("-", None),
        ("1_0", None),
        (" 1", None),
        ("\u0663", None),
        ("1" * 5000, None),
    ],
)
def test_int64(text: str, number: int | None) -> None:
    assert int64(text) == number


def test_endless_digits_are_refused_like_other_nonsense() -> None:
    assert formats.cidr("10.0.0.0/" + "1" * 5000)
    rolling = {"maxSurge": "1" * 5000 + "%", "maxUnavailable": "1" * 5000 + "%"}
    spec = {"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    assert validate_create(DEPLOYMENTS, {"metadata": {"name": "a", "namespace": "b"}, "spec": spec})
