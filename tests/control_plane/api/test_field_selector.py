"""Field selectors: terms, escapes, error texts and matching."""

import re

import pytest

from control_plane.api import field_selector


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("metadata.name=a", "metadata.name=a"),
        ("b==c,a!=d", "a!=d,b=c"),
        ("a=", "a="),
        (",a=b,", "a=b"),
        (r"a=x\,y\=z\\", r"a=x\,y\=z\\"),
    ],
)
def test_text_and_its_canonical_form(text: str, canonical: str) -> None:
    assert str(field_selector.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=\b", r"invalid field selector: invalid escape sequence: \b"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        field_selector.parse(text)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("spec.nodeName=n1", True),
        ("spec.nodeName=n2", False),
        ("spec.nodeName!=n2,status.phase!=Failed", True),
        ("status.phase=Running,spec.nodeName=n2", False),
        ("status.nominatedNodeName=", True),
    ],
)
def test_matching(text: str, matches: bool) -> None:
    fields = {"spec.nodeName": "n1", "status.phase": "Running"}
    assert field_selector.parse(text).matches(fields) is matches


def test_what_a_selector_demands() -> None:
    selector = field_selector.parse("metadata.name=a,spec.host!=b")
    assert selector.exact("metadata.name") == "a"
    assert selector.exact("spec.host") is None
    assert selector.fields == ("metadata.name", "spec.host")
    renamed = selector.renamed(lambda name: "spec.nodeName" if name == "spec.host" else name)
    assert str(renamed) == "metadata.name=a,spec.nodeName!=b"
