"""HTTP that is hardly any: a clear 4xx, or an end of the connection, and a server that goes on."""

import pytest

from tests.control_plane.apiserver.objects import config_map
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.raw_http import RawConnection

HOST = b"Host: x\r\n"
POST = b"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\n" + HOST
JSON = b"Content-Type: application/json\r\n"
PODS = b"GET /api/v1/pods HTTP/1.1\r\n" + HOST
FLOOD = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(12_000))


@pytest.mark.parametrize(
    ("request_bytes", "code"),
    [
        pytest.param(POST + JSON + b"Content-Length: -1\r\n\r\n{}", 400, id="negative length"),
        pytest.param(POST + JSON + b"Content-Length: abc\r\n\r\n{}", 400, id="length in letters"),
        pytest.param(POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, id="lengths"),
        pytest.param(POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}", 400, id="huge length"),
        pytest.param(POST + JSON + b"Content-Length: 4000000\r\n\r\n{}", 413, id="too long a body"),
        pytest.param(
            POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
            id="length and chunks",
        ),
        pytest.param(POST + b"Transfer-Encoding: gzip\r\n\r\n{}", 400, id="another encoding"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", 400, id="bad chunk"),
        pytest.param(
            POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n", 400, id="chunk"
        ),
        pytest.param(
            b"GET /api/v1/namespaces/%zz/pods HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="bad escape"
        ),
        pytest.param(b"GET /api/v1/pods?limit=% HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="percent"),
        pytest.param(
            b"GET /api/v1/namespaces/a%00b/pods/x HTTP/1.1\r\n" + HOST + b"\r\n", 404, id="NUL"
        ),
        pytest.param(
            b"GET /api/v1/pods?labelSelector=" + b"a" * 900_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            400, id="giant query",
        ),
        pytest.param(PODS + FLOOD, 431, id="flood of headers"),
        pytest.param(PODS + b"X: " + b"y" * 1_200_000, 431, id="giant header"),
        pytest.param(PODS + b"X: a\0b\r\n\r\n", 400, id="NUL in a header"),
        pytest.param(b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="path in latin-1"),
        pytest.param(b"\0\1\2\3\r\n\r\n", 400, id="no HTTP at all"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, id="HTTP/2"),
        pytest.param(b"GET /version HTTP/9.9\r\n" + HOST + b"\r\n", 400, id="HTTP/9.9"),
        pytest.param(b"FOO /version HTTP/1.1\r\n" + HOST + b"\r\n", 400, id="unknown method"),
        pytest.param(b"GET /a%0ab HTTP/1.1\r\n" + HOST + b"\r\n", 404, id="line end in the path"),
    ],
)  # fmt: skip
def test_requests_that_are_none(server: ThreadedApiServer, request_bytes: bytes, code: int) -> None:
    with RawConnection(server.server.port, server.pki) as connection:
        assert connection.ask(request_bytes).code == code
    with RawConnection(server.server.port, server.pki) as connection:
        assert connection.ask(b"GET /version HTTP/1.1\r\n" + HOST + b"\r\n").code == 200


def test_a_head_that_never_ends_is_not_waited_for(
    server: ThreadedApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control_plane.apiserver.http.protocols.HEAD_SECONDS", 0.1)
    for beginning in (b"", PODS):
        with RawConnection(server.server.port, server.pki) as connection:
            assert connection.ask(beginning).code == 0


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        pytest.param("application/json", b'{"metadata":{"labels":{%s}}}' % b",".join(
            b'"k%d":"v"' % n for n in range(20_000)), id="labels"),
        pytest.param("application/json", b'{"metadata":{"name":"a"},"data":{"x":%s}}'
                     % (b"9" * 100_000), id="number"),
        pytest.param("application/json", b'{"data":' * 90_000 + b"1", id="nesting"),
        pytest.param("application/json", b'{"metadata":{"name":"\xff\xfe"}}', id="not UTF-8"),
        pytest.param("application/json", b'{"metadata":{"name":"\\ud800"}}', id="lone surrogate"),
        pytest.param("application/yaml", b"a: " + b"[" * 50_000, id="YAML nesting"),
        pytest.param("application/yaml", b"a: &a [x]\n" + b"".join(
            b"b%d: &b%d [*a, *a]\n" % (n, n) for n in range(200)), id="YAML aliases"),
        pytest.param("application/yaml", b"a: &a\n  b: *a\n", id="YAML that holds itself"),
        pytest.param("application/yaml", b"a: 0x" + b"f" * 100_000, id="YAML number"),
    ],
)  # fmt: skip
def test_bodies_that_would_blow_up(
    api: RawApi, namespace: str, media_type: str, body: bytes
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for method, where in (("POST", path), ("PUT", f"{path}/a")):
        answer = api.request(method, where, body, {"Content-Type": media_type})
        assert 400 <= answer.code < 500, answer.text[:300]
        assert len(answer.text) < 300_000
    applying = {"Content-Type": "application/apply-patch+yaml"}
    answer = api.request("PATCH", f"{path}/a?fieldManager=m", body, applying)
    assert 400 <= answer.code < 500, answer.text[:300]


def test_a_huge_label_set(api: RawApi, namespace: str) -> None:
    obj = config_map("a")
    obj["metadata"]["annotations"] = {f"a/{n}": "x" * 100 for n in range(3_000)}
    answer = api.post(f"/api/v1/namespaces/{namespace}/configmaps", obj)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert "may not be more than 262144 bytes" in answer.message
