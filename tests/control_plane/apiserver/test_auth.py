"""Who may do what: certificates, tokens, and nobody."""

import datetime
import socket
import ssl
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from control_plane.api.timestamps import parse
from control_plane.apiserver.http.protocols import MAX_HEAD_BYTES
from control_plane.pki.authority import Authority, Identity, KeyPair
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map, pod
from tests.support.apiserver import NODE, ThreadedApiServer
from tests.support.raw_api import RawApi

PUBLIC = ["/livez", "/readyz", "/healthz", "/version"]
DISCOVERY = ["/api", "/apis", "/api/v1", "/apis/apps/v1", "/openapi/v3", "/"]


@pytest.mark.parametrize("path", PUBLIC)
def test_anybody_may_ask_for_health_and_version(server: ThreadedApiServer, path: str) -> None:
    with raw_api(server, "") as nobody:
        assert nobody.get(path).code == 200


@pytest.mark.parametrize(
    ("path", "what"),
    [
        *((path, f'get path "{path}"') for path in ("/api", "/apis/apps/v1", "/", "/nothing/here")),
        (
            "/api/v1/namespaces",
            'list resource "namespaces" in API group "" at the cluster scope',
        ),
        ("/api/v1/nodes/x", 'get resource "nodes" in API group "" at the cluster scope'),
        (
            "/apis/g.io/v1/namespaces/n/nothings/x/status",
            'get resource "nothings/status" in API group "g.io" in the namespace "n"',
        ),
    ],
)
def test_anonymous_users_are_forbidden_what_no_role_gives_them(
    server: ThreadedApiServer, path: str, what: str
) -> None:
    with raw_api(server, "") as nobody:
        answer = nobody.get(path)
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message.endswith(f'User "system:anonymous" cannot {what}')


def test_components_have_no_rights_but_their_roles(server: ThreadedApiServer) -> None:
    maps = "/api/v1/namespaces/default/configmaps"
    for user, name in (
        ("controller-manager", "system:kube-controller-manager"),
        (f"kubelet-{NODE}", f"system:node:{NODE}"),
    ):
        with raw_api(server, user) as client:
            answer = client.post(f"{maps}?dryRun=All", config_map("x"))
            assert answer.code == 403
            assert f'User "{name}" cannot create resource "configmaps"' in answer.message
            assert client.delete("/api/v1/nodes/x").code == 403
            assert client.get("/apis/rbac.authorization.k8s.io/v1/clusterroles").code == (
                200 if user == "controller-manager" else 403
            )


def test_the_scheduler_may_do_what_its_roles_say(server: ThreadedApiServer) -> None:
    with raw_api(server, "scheduler") as scheduler:
        assert scheduler.get("/api/v1/nodes").code == 200
        assert scheduler.get("/api/v1/pods").code == 200
        refused = scheduler.get("/api/v1/secrets")
        assert refused.code == 403
        assert 'User "system:kube-scheduler" cannot list resource "secrets"' in refused.message
        assert scheduler.delete("/api/v1/nodes/x").code == 403


def test_nobody_can_send_a_head_without_end(server: ThreadedApiServer) -> None:
    tls = ssl.create_default_context(cafile=str(server.pki.pair("ca").certificate))
    start = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: "
    with (
        socket.create_connection(("127.0.0.1", server.server.port)) as plain,
        tls.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        client.sendall(start + b"x" * (MAX_HEAD_BYTES - len(start)) + b"y")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


@pytest.fixture
def stranger(server: ThreadedApiServer, tmp_path: Path) -> KeyPair:
    """A certificate of the cluster's authority for somebody without rights."""
    now = datetime.datetime.now(datetime.UTC)
    pair = KeyPair(tmp_path / "jane.crt", tmp_path / "jane.key")
    Authority.open(server.pki.pair("ca"), now).ensure(pair, Identity("jane", ("dev",)), now)
    return pair


def test_others_may_only_discover(server: ThreadedApiServer, stranger: KeyPair) -> None:
    with RawApi(server.url, server.pki.pair("ca").certificate, stranger) as jane:
        for path in PUBLIC + DISCOVERY[:-1]:
            assert jane.get(path).code == 200, path
        answer = jane.get("/api/v1/namespaces/default/pods")
        assert (answer.code, answer.reason) == (403, "Forbidden")
        assert answer.message == (
            'pods is forbidden: User "jane" cannot list resource "pods" in API group "" '
            'in the namespace "default"'
        )
        one = jane.delete("/apis/apps/v1/namespaces/x/deployments/d").message
        assert one == (
            'deployments.apps "d" is forbidden: User "jane" cannot delete resource "deployments" '
            'in API group "apps" in the namespace "x"'
        )
        node = jane.patch("/api/v1/nodes/n/status", {}).message
        assert node.endswith('resource "nodes/status" in API group "" at the cluster scope')
        assert jane.get("/metrics").message == ('forbidden: User "jane" cannot get path "/metrics"')


def test_a_certificate_of_another_authority_is_refused(
    server: ThreadedApiServer, tmp_path: Path
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    own = Authority.open(KeyPair(tmp_path / "ca.crt", tmp_path / "ca.key"), now)
    pair = KeyPair(tmp_path / "eve.crt", tmp_path / "eve.key")
    own.ensure(pair, Identity("kubernetes-admin", ("system:masters",)), now)
    with (
        RawApi(server.url, server.pki.pair("ca").certificate, pair) as eve,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        eve.get("/api/v1/namespaces")


def _token(api: RawApi, namespace: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    answer = api.post(path, {"spec": spec or {}})
    assert answer.code == 201, answer.text
    document: dict[str, Any] = answer.json
    return document


def test_a_service_account_token_is_somebody(
    server: ThreadedApiServer, api: RawApi, namespace: str
) -> None:
    made = _token(api, namespace)
    assert made["kind"] == "TokenRequest"
    assert made["spec"]["expirationSeconds"] == 3600
    ca = server.pki.pair("ca").certificate
    with RawApi(server.url, ca, token=made["status"]["token"]) as account:
        assert account.get("/api").code == 200
        answer = account.get("/api/v1/nodes")
        assert answer.code == 403
        assert f'User "system:serviceaccount:{namespace}:default" cannot list' in answer.message
    api.delete(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
    fresh = made["status"]["token"]
    with RawApi(server.url, ca, token=f"{fresh[:-8]}AAAAAAAA") as forged:
        assert forged.get("/api").code == 401


def test_tokens_end_with_what_they_are_bound_to(
    server: ThreadedApiServer, api: RawApi, namespace: str
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    uid = api.post(pods, pod("p")).json["metadata"]["uid"]
    ref = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": uid}
    token = _token(api, namespace, {"boundObjectRef": ref})["status"]["token"]
    other = _token(api, namespace, {"boundObjectRef": ref})["status"]["token"]
    ca = server.pki.pair("ca").certificate
    with RawApi(server.url, ca, token=token) as bound:
        assert bound.get("/api").code == 200
    api.delete(f"{pods}/p")
    with RawApi(server.url, ca, token=other) as gone:
        assert gone.get("/api").code == 401


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ({"expirationSeconds": 10}, 422, "may not specify a duration less than 10 minutes"),
        ({"boundObjectRef": {"kind": "Pod", "name": "none"}}, 404, 'pods "none" not found'),
        ({"boundObjectRef": {"kind": "Lease", "name": "x"}}, 400, "cannot bind token to object"),
    ],
)
def test_token_requests_that_make_no_sense(
    api: RawApi, namespace: str, spec: dict[str, Any], code: int, message: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    answer = api.post(path, {"spec": spec})
    assert answer.code == code
    assert message in answer.message


def test_others_can_check_tokens(api: RawApi) -> None:
    configuration = api.get("/.well-known/openid-configuration").json
    assert configuration["issuer"] == "https://kubernetes.default.svc.cluster.local"
    (key,) = api.get("/openid/v1/jwks").json["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")


def claims_of(api: RawApi, path: str, spec: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The claims of a new token, and the seconds after which it says that it ends."""
    made = api.post(path, {"spec": spec}).json
    claims = jwt.decode(made["status"]["token"], options={"verify_signature": False})
    ends = parse(made["status"]["expirationTimestamp"]).timestamp()
    return claims, int(ends) - claims["iat"]


def test_a_pods_usual_token_is_good_for_a_year_and_says_when_to_replace_it(
    api: RawApi, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    assert api.post(f"{path}/pods", pod("p")).code == 201
    tokens = f"{path}/serviceaccounts/default/token"
    bound = {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "p"}}
    claims, shown = claims_of(api, tokens, {"expirationSeconds": 3607, **bound})
    assert claims["exp"] - claims["iat"] == 31_536_000
    assert claims["kubernetes.io"]["warnafter"] - claims["iat"] == 3607
    assert shown == 3607
    for spec in (
        {"expirationSeconds": 3607},
        {"expirationSeconds": 3600, **bound},
        {"expirationSeconds": 3607, "audiences": ["vault"], **bound},
    ):
        claims, shown = claims_of(api, tokens, spec)
        assert claims["exp"] - claims["iat"] == spec["expirationSeconds"] == shown
        assert "warnafter" not in claims["kubernetes.io"]
