"""CORS, host names, and users over the gateway."""

import pytest

from tests.contract.http.web import Ports, Web, b64

METHODS, HEADERS = "access-control-allow-methods", "access-control-allow-headers"
ORIGIN = "access-control-allow-origin"


@pytest.mark.parametrize("path", ["/version", "/nope", "/health", "/v3/nope", "/metrics"])
def test_any_origin_by_default(web: Web, path: str) -> None:
    answer = web.get(path)

    assert answer.headers[ORIGIN] == "*"
    assert answer.headers[METHODS] == "POST, GET, OPTIONS, PUT, DELETE"
    assert answer.headers[HEADERS] == "accept, content-type, authorization"


@pytest.mark.parametrize("path", ["/v3/kv/range", "/nope", "/health", "/v3/watch"])
def test_options(web: Web, path: str) -> None:
    answer = web.send("OPTIONS", path)

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers[ORIGIN] == "*"


@pytest.mark.own_server(
    "--cors=http://a.example:80,https://b.example:443",
    "--host-whitelist=good.example,10.0.0.1",
    "--enable-grpc-gateway=false",
)
def test_named_origins_and_hosts_without_the_gateway(own: Ports) -> None:
    web, host = own.web, {"Host": "good.example:99"}

    named = web.send("GET", "/version", headers={**host, "Origin": "https://b.example:443"})
    other = web.send("GET", "/version", headers={**host, "Origin": "https://b.example"})
    options = web.send("OPTIONS", "/version", headers={**host, "Origin": "http://c.example:80"})

    assert named.headers[ORIGIN] == "https://b.example:443"
    assert other.status == options.status == 200
    assert {METHODS, HEADERS, ORIGIN}.isdisjoint({*other.headers, *options.headers})
    assert web.send("GET", "/version", headers={"Host": "10.0.0.1"}).status == 200
    for unknown in ("127.0.0.1", "localhost", "GOOD.example", "[::1]:80", "x.good.example"):
        refused = web.send("POST", "/v3/kv/range", "{}", {"Host": unknown})
        assert refused.status == 421
        assert refused.headers["content-type"] == "text/plain; charset=utf-8"
        assert "Host header" in refused.text
        assert ORIGIN not in refused.headers
    gateway = web.send("POST", "/v3/kv/range", "{}", host)
    assert (gateway.status, gateway.text) == (404, "404 page not found\n")


@pytest.mark.own_server
def test_users(own: Ports) -> None:
    web = own.web
    _add_users(web)
    token = {name: _token(web, name) for name in ("root", "u")}
    mine, other = {"key": b64(b"u")}, {"key": b64(b"a")}

    def status_of(body: dict[str, str], **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = web.send("POST", "/v3/kv/range", body, named)
        return answer.status, answer.json.get("message", "")

    assert status_of(mine, Authorization=token["u"]) == (200, "")
    assert status_of(mine, Authorization=f"Bearer {token['u']}") == (200, "")
    assert status_of(mine, Grpc_Metadata_Token=token["u"]) == (200, "")
    assert status_of(mine, Grpc_Metadata_Authorization=token["u"]) == (200, "")
    assert status_of(other, Authorization=token["u"]) == (403, "etcdserver: permission denied")
    assert status_of(mine, token=token["u"]) == (400, "etcdserver: user name is empty")
    assert status_of(mine) == (400, "etcdserver: user name is empty")
    invalid = web.send("POST", "/v3/kv/range", mine, {"Authorization": "nonsense"})
    assert (invalid.status, invalid.json["code"]) == (401, 16)
    assert invalid.headers["www-authenticate"] == "etcdserver: invalid auth token"
    for path in ("/health", "/livez", "/readyz", "/version", "/metrics"):
        assert web.get(path).status == 200
    _check_streams(web, token)


def _check_streams(web: Web, token: dict[str, str]) -> None:
    root, user = ({"Authorization": token[name]} for name in ("root", "u"))
    denied = {"code": 7, "message": "etcdserver: permission denied"}
    leases = [web.call("lease/grant", {"TTL": "60"}, root)["ID"] for _ in range(2)]
    web.call("kv/put", {"key": b64(b"a"), "lease": leases[0]}, root)

    first = web.send("POST", "/v3/lease/keepalive", {"ID": leases[0]}, user)
    body = f'{{"ID": "{leases[1]}"}}{{"ID": "{leases[0]}"}}{{"ID": "{leases[1]}"}}'
    later = web.send("POST", "/v3/lease/keepalive", body, user)
    snapshot = web.send("POST", "/v3/maintenance/snapshot", "{}", user)
    with web.stream("watch", {"create_request": {"key": b64(b"a")}}, user) as stream:
        canceled = stream.result()

    assert (first.status, first.messages) == (403, [{"error": denied}])
    assert later.status == 200
    assert ["result" in message for message in later.messages] == [True, False]
    assert later.messages[-1] == {"error": denied}
    assert (snapshot.status, snapshot.messages) == (403, [{"error": denied}])
    assert (canceled["canceled"], canceled["watch_id"]) == (True, "-1")


def _add_users(web: Web) -> None:
    for name in ("root", "u"):
        web.call("auth/user/add", {"name": name, "password": "p"})
    web.call("auth/role/add", {"name": "r"})
    permission = {"permType": "READWRITE", "key": b64(b"u")}
    web.call("auth/role/grant", {"name": "r", "perm": permission})
    for user, role in (("root", "root"), ("u", "r")):
        web.call("auth/user/grant", {"user": user, "role": role})
    web.call("auth/enable")


def _token(web: Web, name: str) -> str:
    token: str = web.call("auth/authenticate", {"name": name, "password": "p"})["token"]
    return token
