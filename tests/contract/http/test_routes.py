"""Paths and methods of HTTP."""

import pytest

from tests.contract.http.web import Web, b64, send_raw

PATHS = (
    *(f"kv/{name}" for name in ("range", "put", "deleterange", "txn", "compaction")),
    *("watch", "lease/grant", "lease/revoke", "kv/lease/revoke", "lease/keepalive"),
    *("lease/timetolive", "kv/lease/timetolive", "lease/leases", "kv/lease/leases"),
    *(f"cluster/member/{name}" for name in ("add", "remove", "update", "list", "promote")),
    *(f"maintenance/{name}" for name in ("alarm", "status", "defragment", "hash", "hashkv")),
    *(f"maintenance/{name}" for name in ("snapshot", "downgrade", "transfer-leadership")),
    *(f"auth/{name}" for name in ("enable", "disable", "status", "authenticate")),
    *(f"auth/user/{name}" for name in ("add", "get", "list", "delete", "changepw")),
    *(f"auth/user/{name}" for name in ("grant", "revoke")),
    *(f"auth/role/{name}" for name in ("add", "get", "list", "delete", "grant", "revoke")),
    *("lock/lock", "lock/unlock"),
    *(f"election/{name}" for name in ("campaign", "proclaim", "leader", "observe", "resign")),
)
NOT_FOUND = {"code": 5, "message": "Not Found"}


@pytest.mark.parametrize("path", PATHS)
def test_every_path_takes_post_alone(web: Web, path: str) -> None:
    answer = web.get(f"/v3/{path}")

    assert (answer.status, answer.json) == (501, {"code": 12, "message": "Method Not Allowed"})


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH"])
def test_other_methods(web: Web, method: str) -> None:
    assert web.send(method, "/v3/kv/range", "{}").status == 501


@pytest.mark.parametrize(
    "path", ["/v3/nope", "/v3/", "/v3/kv/range/", "/v3/kv", "/v3/kv/rangestream"]
)
def test_an_unknown_path_of_the_gateway(web: Web, path: str) -> None:
    answer = web.send("POST", path, "{}")

    assert (answer.status, answer.json) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/v3alpha/kv/range", "/v3beta", "/v2/keys", "/metrics/"]
)
def test_an_unknown_path(web: Web, path: str) -> None:
    answer = web.send("POST", path, "{}")

    assert (answer.status, answer.text) == (404, "404 page not found\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_old_prefix(web: Web, key: bytes) -> None:
    answer = web.send("POST", "/v3beta/kv/range", {"key": b64(key)})

    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("//v3/kv/range", "/v3/kv/range"),
        ("/v3/../version", "/version"),
        ("/health/./", "/health/"),
        ("/v3", "/v3/"),
        ("/v3?a=b", "/v3/?a=b"),
        ("//version?a=b", "/version?a=b"),
    ],
)
def test_a_path_that_is_not_clean_is_redirected(web: Web, path: str, clean: str) -> None:
    posted, got = web.send("POST", path, "{}"), web.get(path)

    assert (posted.status, posted.headers["location"], posted.body) == (307, clean, b"")
    assert (got.status, got.headers["location"]) == (307, clean)
    assert f'href="{clean}"' in got.text


def test_what_is_asked_is_no_html(web: Web) -> None:
    answer = send_raw(web.address, b"GET //version?\"'<&> HTTP/1.0\r\n\r\n")

    assert answer.endswith(
        b'<a href="/version?&#34;&#39;&lt;&amp;&gt;">Temporary Redirect</a>.\n\n'
    )


def test_version(web: Web) -> None:
    answer = web.get("/version")

    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"etcdserver", "etcdcluster", "storage"}
    assert answer.json["etcdserver"].startswith("3.6.")


@pytest.mark.parametrize(
    "path", ["/version", "/health", "/livez", "/readyz", "/readyz/non_learner"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
def test_get_alone(web: Web, path: str, method: str) -> None:
    answer = web.send(method, path)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET"
    assert answer.text == ("" if method == "HEAD" else "Method Not Allowed\n")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_metrics_takes_any_method(web: Web, method: str) -> None:
    assert web.send(method, "/metrics").status == 200


@pytest.mark.parametrize("path", ["/version", "/v3/kv/range", "/debug/vars", "/nope", "/"])
def test_metrics_urls_have_no_other_path(metrics_web: Web, path: str) -> None:
    assert metrics_web.get(path).text == "404 page not found\n"


@pytest.mark.parametrize(
    "path", ["/metrics", "/health", "/livez", "/readyz", "/livez/serializable_read"]
)
def test_paths_of_metrics_urls(metrics_web: Web, path: str) -> None:
    answer = metrics_web.get(path)

    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers
