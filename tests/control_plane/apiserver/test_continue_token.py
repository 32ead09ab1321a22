"""What a list's continue parameter may be, and how a wrong one is answered."""

import base64
import re

import pytest

from control_plane.apiserver.storage.continue_token import ContinueToken, decode, encode

V1 = '"v":"meta.k8s.io/v1"'


def token(document: str) -> str:
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def test_a_token_comes_back_as_it_was() -> None:
    for start in ("a\0", "ns/é\0"):
        assert decode(encode(ContinueToken(7, start))) == ContinueToken(7, start)


def test_a_start_may_be_rooted() -> None:
    assert decode(token(f'{{{V1},"rv":-1,"start":"/a"}}')) == ContinueToken(-1, "a")


def test_line_ends_do_not_count() -> None:
    text = encode(ContinueToken(7, "a\0"))
    assert decode(f"{text[:5]}\r\n{text[5:]}") == ContinueToken(7, "a\0")


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("abc", "invalid character 'i' looking for beginning of value"),
        ("", "unexpected end of JSON input"),
        ("e30=", "illegal base64 data at input byte 3"),
        ("a+", "illegal base64 data at input byte 1"),
        ("éa", "illegal base64 data at input byte 0"),
        ("e30xx", "illegal base64 data at input byte 4"),
        (token("[]"), "json: cannot unmarshal array into Go value of type storage.continueToken"),
        (
            token('{"v":1}'),
            "json: cannot unmarshal number into Go struct field continueToken.v of type string",
        ),
        (
            token(f'{{{V1},"rv":"1"}}'),
            "json: cannot unmarshal string into Go struct field continueToken.rv of type int64",
        ),
        (token("null"), "server does not recognize this encoded version "),
        (token('{"v":"x"}'), "server does not recognize this encoded version x"),
        (
            token(f"{{{V1}}}"),
            "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
        ),
        (token(f'{{{V1},"rv":1}}'), "encoded start key empty (version meta.k8s.io/v1)"),
        (token(f'{{{V1},"rv":1,"start":"../a"}}'), "../a"),
        (token(f'{{{V1},"rv":1,"start":"//a"}}'), "//a"),
        (token(f'{{{V1},"rv":1,"start":"a/"}}'), "a/"),
    ],
)
def test_tokens_that_are_none(text: str, trouble: str) -> None:
    message = re.escape(f"continue key is not valid: {trouble}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        decode(text)
