"""What is a URL, and its parts: recorded from Go's net/url (go1.26)."""

import pytest

from control_plane.api.go_url import GoUrl, read_url


@pytest.mark.parametrize(
    ("text", "parts", "hostname", "port"),
    [
        ("https://a.b:443/c?d=e#f", ("https", None, "a.b:443", "/c", "d=e", "f"), "a.b", "443"),
        ("HTTPS://u:p@[::1]:70000", ("https", "u:p", "[::1]:70000", "", "", ""), "::1", "70000"),
        ("https://[::1%25en0]", ("https", None, "[::1%en0]", "", "", ""), "::1%en0", ""),
        ("https://h%c3%a9/%41?", ("https", None, "hé", "/A", "", ""), "hé", ""),
        ("https://x:/", ("https", None, "x:", "/", "", ""), "x", ""),
        ("https:x", ("https", None, "", "", "", ""), "", ""),
        ("///x", ("", None, "", "///x", "", ""), "", ""),
        ("a b", ("", None, "", "a b", "", ""), "", ""),
        ("", ("", None, "", "", "", ""), "", ""),
    ],
)
def test_urls_and_their_parts(
    text: str, parts: tuple[str, str | None, str, str, str, str], hostname: str, port: str
) -> None:
    url = read_url(text)
    assert url == GoUrl(*parts)
    assert (url.hostname, url.port) == (hostname, port)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("https://a b/", 'invalid character " " in host name'),
        ("https://a\\b/", 'invalid character "\\\\" in host name'),
        ("https://a:b/", 'invalid port ":b" after host'),
        ("https://a:1:2/", 'invalid port ":1:2" after host'),
        ("https://[::1]x/", 'invalid port "x" after host'),
        ("https://[::1/", "missing ']' in host"),
        ("https://a[::1]/", "invalid IP-literal"),
        ("https://[zz]/", 'invalid host: ParseAddr("zz"): unable to parse IP'),
        ("https://%41/", 'invalid URL escape "%41"'),
        ("https://a/%zz", 'invalid URL escape "%zz"'),
        ("https://a b@c/", "net/url: invalid userinfo"),
        ("https://a\tb/", "net/url: invalid control character in URL"),
        ("a:b/c", None),
        ("1a:b/c", "first path segment in URL cannot contain colon"),
        ("://a", "missing protocol scheme"),
    ],
)
def test_what_is_no_url(text: str, error: str | None) -> None:
    if error is None:
        assert read_url(text).scheme == "a"
        return
    with pytest.raises(ValueError, match=r"^parse ") as raised:
        read_url(text)
    assert str(raised.value).partition('": ')[2] == error
