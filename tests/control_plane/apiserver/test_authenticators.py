"""Whose request it is: certificates, front proxies, tokens of every kind, and nobody."""

import base64
import dataclasses
import datetime
import json
import ssl
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.apiserver.auth.config import AuthConfig
from control_plane.apiserver.auth.jwt_issuer import JwtIssuer, user_of_claims
from control_plane.apiserver.auth.request_header import RequestHeaders
from control_plane.apiserver.auth.token_check import TokenError, issuer_of
from control_plane.apiserver.config_error import ConfigError
from control_plane.apiserver.server import run
from control_plane.pki.authority import Authority, Identity, KeyPair
from control_plane.pki.files import key_pem
from tests.support.apiserver import LOOPBACK, ThreadedApiServer, cluster_pki
from tests.support.datastore import Datastore
from tests.support.raw_api import Answer, RawApi

Object = dict[str, Any]
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
NOW = datetime.datetime.now(datetime.UTC)
STATIC = "static-token-of-ann"
LINES = f'{STATIC},ann,1,"dev,ops"\nother-token,bob,2\n'
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """An HTTPS server on one port: an OpenID issuer, and a token webhook."""

    def __init__(self, directory: Path) -> None:
        self.authority = KeyPair(directory / "issuer-ca.crt", directory / "issuer-ca.key")
        pair = KeyPair(directory / "issuer.crt", directory / "issuer.key")
        Authority.open(self.authority, NOW).ensure(
            pair, Identity("issuer", addresses=(LOOPBACK,)), NOW
        )
        self.reviews: list[Object] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def token(self, key: rsa.RSAPrivateKey = KEY, **claims: Any) -> str:
        hour = datetime.timedelta(hours=1)
        whole = {"iss": self.url, "aud": "tapir", "sub": "zoe", "exp": NOW + hour, **claims}
        return jwt.encode(whole, key, algorithm="RS256", headers={"kid": "one"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
                documents: dict[str, Object] = {
                    "/.well-known/openid-configuration": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/keys",
                    },
                    "/keys": {"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]},
                }
                self.answer(documents[self.path])

            def do_POST(self) -> None:
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                issuer.reviews.append(review)
                known = review["spec"]["token"].startswith("hook-")
                user = {"username": "hank", "groups": ["hooks"], "extra": {"a": ["b"]}}
                status = {"authenticated": True, "user": user} if known else {}
                self.answer({**review, "status": status})

            def answer(self, document: Object) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authenticators")


@pytest.fixture(scope="module")
def issuer(place: Path) -> Iterator[Issuer]:
    made = Issuer(place)
    yield made
    made.close()


@pytest.fixture(scope="module")
def proxy(place: Path) -> Authority:
    pair = KeyPair(place / "proxy-ca.crt", place / "proxy-ca.key")
    return Authority.open(pair, NOW)


@pytest.fixture(scope="module")
def proxies(place: Path, proxy: Authority) -> Path:
    """The authorities of front proxies: one of their own, and that of users."""
    del proxy
    shared = cluster_pki(place / "cluster", "https://127.0.0.1:6443").pair("ca").certificate
    path = place / "proxies.crt"
    path.write_text((place / "proxy-ca.crt").read_text() + shared.read_text())
    return path


@pytest.fixture(scope="module")
def everything(place: Path, issuer: Issuer, proxies: Path) -> Iterator[ThreadedApiServer]:
    """A server that believes tokens of every kind."""
    (place / "tokens.csv").write_text(LINES)
    hook = {
        "clusters": [
            {"name": "x", "cluster": {
                "server": f"{issuer.url}/review",
                "certificate-authority": str(issuer.authority.certificate),
            }}
        ],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }  # fmt: skip
    (place / "hook.yaml").write_text(yaml.safe_dump(hook))
    mappings = {
        "username": {"claim": "sub", "prefix": "oidc:"},
        "groups": {"claim": "roles", "prefix": ""},
        "uid": {"claim": "oid"},
        "extra": [{"key": "example.com/tenant", "valueExpression": "claims.tenant"}],
    }
    reserved = {"expression": "!user.groups.exists(g, g.startsWith('system:'))"}
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [
            {
                "issuer": {
                    "url": issuer.url,
                    "audiences": ["tapir"],
                    "certificateAuthority": issuer.authority.certificate.read_text(),
                },
                "claimValidationRules": [{"claim": "tenant", "requiredValue": "t1"}],
                "claimMappings": mappings,
                "userValidationRules": [reserved],
            }
        ],
        "anonymous": {"enabled": True, "conditions": [{"path": "/livez"}]},
    }
    (place / "authentication.yaml").write_text(yaml.safe_dump(document))
    auth = AuthConfig(
        file=place / "authentication.yaml",
        token_file=place / "tokens.csv",
        bootstrap_tokens=True,
        webhook=place / "hook.yaml",
        request_headers=RequestHeaders(proxies, ("front-proxy",)),
    )
    with (
        Datastore() as store,
        ThreadedApiServer(store.endpoint, place / "cluster", auth=auth) as server,
    ):
        yield server


@pytest.fixture(scope="module")
def admin(everything: ThreadedApiServer) -> Iterator[RawApi]:
    pki = everything.pki
    with RawApi(everything.url, pki.pair("ca").certificate, pki.pair("admin")) as client:
        yield client


def asked(
    server: ThreadedApiServer,
    path: str = SELF,
    *,
    token: str = "",
    pair: KeyPair | None = None,
    **headers: str,
) -> Answer:
    """A SelfSubjectReview with these credentials, or a GET of another path."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    with RawApi(server.url, server.pki.pair("ca").certificate, pair, token) as client:
        return client.request("POST" if path == SELF else "GET", path, {}, sent)


def info(answer: Answer) -> Object:
    assert answer.code == 201, answer.text
    found: Object = answer.json["status"]["userInfo"]
    return found


def test_a_static_token_is_the_user_of_its_line(everything: ThreadedApiServer) -> None:
    assert info(asked(everything, token=STATIC)) == {
        "username": "ann", "uid": "1", "groups": ["dev", "ops", "system:authenticated"]
    }  # fmt: skip
    assert info(asked(everything, token="other-token"))["username"] == "bob"


def test_a_token_after_two_spaces_is_none(everything: ThreadedApiServer) -> None:
    answer = asked(everything, Authorization=f"Bearer  {STATIC}")
    assert answer.code == 401
    assert answer.headers["Warning"] == (
        '299 - "the provided Authorization header contains extra space before the bearer token, '
        'and is ignored"'
    )
    assert info(asked(everything, Authorization=f"bEARER {STATIC} more"))["username"] == "ann"


def bootstrap_secret(api: RawApi, token_id: str, /, **data: str) -> Object:
    whole = {
        "token-id": token_id,
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        **{key.replace("_", "-"): value for key, value in data.items()},
    }
    body = {
        "metadata": {"name": f"bootstrap-token-{token_id}"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in whole.items()},
    }
    answer = api.post("/api/v1/namespaces/kube-system/secrets", body)
    assert answer.code == 201, answer.text
    return body


def test_a_bootstrap_token_is_a_bootstrapper(everything: ThreadedApiServer, admin: RawApi) -> None:
    later = (NOW + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    groups = "system:bootstrappers:workers"
    bootstrap_secret(admin, "aaaaaa", auth_extra_groups=groups, expiration=later)
    assert info(asked(everything, token="aaaaaa.0123456789abcdef")) == {
        "username": "system:bootstrap:aaaaaa",
        "groups": ["system:bootstrappers", groups, "system:authenticated"],
    }
    assert asked(everything, token="aaaaaa.0123456789abcdee").code == 401


@pytest.mark.parametrize(
    ("token_id", "data"),
    [
        ("bbbbb1", {"expiration": "2020-01-01T00:00:00Z"}),
        ("bbbbb2", {"expiration": "soon"}),
        ("bbbbb3", {"usage_bootstrap_authentication": "false"}),
        ("bbbbb4", {"auth_extra_groups": "system:masters"}),
        ("bbbbb5", {"token_id": "cccccc"}),
    ],
)
def test_bootstrap_tokens_that_are_nobodys(
    everything: ThreadedApiServer, admin: RawApi, token_id: str, data: dict[str, str]
) -> None:
    bootstrap_secret(admin, token_id, **data)
    assert asked(everything, token=f"{token_id}.0123456789abcdef").code == 401


def test_an_issuer_that_is_trusted(everything: ThreadedApiServer, issuer: Issuer) -> None:
    token = issuer.token(tenant="t1", roles=["a", "b"], oid="o-1")
    assert info(asked(everything, token=token)) == {
        "username": "oidc:zoe", "uid": "o-1", "groups": ["a", "b", "system:authenticated"],
        "extra": {"example.com/tenant": ["t1"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    "claims",
    [
        {"tenant": "t2", "oid": "o"},
        {"oid": "o"},
        {"tenant": "t1"},
        {"tenant": "t1", "oid": "o", "aud": "other"},
        {"tenant": "t1", "oid": "o", "roles": ["system:masters"]},
        {"tenant": "t1", "oid": "o", "sub": ""},
        {"tenant": "t1", "oid": "o", "roles": {"a": 1}},
        {"tenant": "t1", "oid": "o", "exp": NOW - datetime.timedelta(hours=1)},
    ],
)
def test_claims_that_make_nobody(
    everything: ThreadedApiServer, issuer: Issuer, claims: Object
) -> None:
    assert asked(everything, token=issuer.token(**claims)).code == 401


def test_a_token_that_another_key_signed(everything: ThreadedApiServer, issuer: Issuer) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert asked(everything, token=issuer.token(other, tenant="t1", oid="o")).code == 401
    unsigned = jwt.encode({"iss": issuer.url, "sub": "zoe"}, "", algorithm="none")
    assert asked(everything, token=unsigned).code == 401


def test_a_webhook_says_whose_a_token_is(everything: ThreadedApiServer, issuer: Issuer) -> None:
    token = f"hook-{uuid.uuid4()}"
    for _ in range(2):
        assert info(asked(everything, token=token)) == {
            "username": "hank",
            "groups": ["hooks", "system:authenticated"],
            "extra": {"a": ["b"]},
        }
    mine = [review for review in issuer.reviews if review["spec"]["token"] == token]
    assert len(mine) == 1  # the answer is remembered
    assert mine[0]["apiVersion"] == "authentication.k8s.io/v1beta1"
    assert asked(everything, token="unknown").code == 401


def test_token_reviews_ask_all_kinds(admin: RawApi, issuer: Issuer) -> None:
    for token, name in ((STATIC, "ann"), (issuer.token(tenant="t1", oid="o"), "oidc:zoe")):
        status = admin.post(REVIEWS, {"spec": {"token": token}}).json["status"]
        assert (status["authenticated"], status["user"]["username"]) == (True, name)
    unmet = admin.post(REVIEWS, {"spec": {"token": STATIC, "audiences": ["vault"]}}).json["status"]
    assert unmet == {"user": {}, "error": "invalid bearer token"}


def test_anonymous_requests_are_for_the_listed_paths(everything: ThreadedApiServer) -> None:
    assert asked(everything, "/livez").code == 200
    assert asked(everything, "/readyz").code == 401
    assert asked(everything).code == 401


def test_a_front_proxy_asks_for_others(
    everything: ThreadedApiServer, proxy: Authority, place: Path
) -> None:
    pair = KeyPair(place / "front.crt", place / "front.key")
    proxy.ensure(pair, Identity("front-proxy"), NOW)
    headers = {
        "X_Remote_User": "pat",
        "X_Remote_Group": "riders",
        "X_Remote_Uid": "7",
        "X_Remote_Extra_Example.Org%2fScopes": "all",
    }
    assert info(asked(everything, pair=pair, **headers)) == {
        "username": "pat",
        "uid": "7",
        "groups": ["riders", "system:authenticated"],
        "extra": {"example.org/scopes": ["all"]},
    }
    assert asked(everything, pair=pair).code == 401  # a proxy's certificate is nobody's own
    assert info(asked(everything, pair=pair, token=STATIC))["username"] == "ann"
    admin = everything.pki.pair("admin")
    assert info(asked(everything, pair=admin, X_Remote_User="pat"))["username"] == (
        "kubernetes-admin"
    )


def test_a_front_proxy_of_another_name_is_not_believed(
    everything: ThreadedApiServer, proxy: Authority, place: Path
) -> None:
    pair = KeyPair(place / "back.crt", place / "back.key")
    proxy.ensure(pair, Identity("system:masters", ("system:masters",)), NOW)
    assert asked(everything, pair=pair, X_Remote_User="pat").code == 401
    assert asked(everything, "/livez", pair=pair, X_Remote_User="pat").code == 401


def test_a_front_proxy_may_be_of_the_users_authority(
    everything: ThreadedApiServer, place: Path
) -> None:
    """And is a user where it asks for nobody, as all are who have other names."""
    users = Authority.open(everything.pki.pair("ca"), NOW)
    for name, asks_for in (("front-proxy", "pat"), ("ann", "ann")):
        pair = KeyPair(place / "shared.crt", place / "shared.key")
        users.ensure(pair, Identity(name), NOW)
        assert info(asked(everything, pair=pair, X_Remote_User="pat"))["username"] == asks_for
        assert info(asked(everything, pair=pair))["username"] == name


async def test_a_shared_authority_needs_the_names_of_front_proxies(
    everything: ThreadedApiServer, proxies: Path
) -> None:
    config = everything.server.config
    auth = dataclasses.replace(config.auth, request_headers=RequestHeaders(proxies))
    with pytest.raises(ConfigError, match="name the front proxies in --requestheader-allowed"):
        await run(dataclasses.replace(config, auth=auth))


def client_certificate(server: ThreadedApiServer, place: Path, *uids: str) -> KeyPair:
    """A certificate for `uma` with these uids."""
    ca = server.pki.pair("ca")
    authority = x509.load_pem_x509_certificate(ca.certificate.read_bytes())
    authority_key: Any = load_pem_private_key(ca.key.read_bytes(), password=None)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    oid = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
    names = [x509.NameAttribute(oid, uid) for uid in uids]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, "uma")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(minutes=5))
        .not_valid_after(NOW + datetime.timedelta(hours=1))
        .sign(authority_key, hashes.SHA256())
    )
    pair = KeyPair(place / f"uma-{len(uids)}.crt", place / f"uma-{len(uids)}.key")
    pair.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    pair.key.write_bytes(key_pem(key))
    return pair


def test_a_certificate_may_say_a_uid(everything: ThreadedApiServer, place: Path) -> None:
    uma = info(asked(everything, pair=client_certificate(everything, place, "u-1")))
    assert (uma["username"], uma["uid"]) == ("uma", "u-1")
    (credential,) = uma["extra"]["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("X509SHA256=")
    assert asked(everything, pair=client_certificate(everything, place, "u-1", "u-2")).code == 401


TOKENS = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80),
    st.lists(st.binary(max_size=60), min_size=2, max_size=4).map(
        lambda parts: ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["iss", "sub", "aud", "exp", "kid", "alg", "kubernetes.io"]), inner
        ),
    ).map(lambda claims: jwt.encode({"iss": "x", "c": claims}, KEY, algorithm="RS256")),
)  # fmt: skip


def test_no_token_is_in_a_log_or_an_answer(
    everything: ThreadedApiServer,
    admin: RawApi,
    issuer: Issuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    account = "/api/v1/namespaces/kube-system/serviceaccounts"
    admin.post(account, {"metadata": {"name": "quiet"}})
    good = admin.post(f"{account}/quiet/token", {"spec": {}}).json["status"]["token"]
    bootstrap_secret(admin, "dddddd")
    tokens = [
        STATIC, good, f"{good[:-9]}AAAAAAAAA", issuer.token(tenant="t2", oid="o"),
        "dddddd.0123456789abcdef", "dddddd.0123456789abcdee", "hook-secret", "a-wrong-token",
    ]  # fmt: skip
    with caplog.at_level("DEBUG"):
        answers = [asked(everything, token=token) for token in tokens]
        answers += [admin.post(REVIEWS, {"spec": {"token": tokens[2]}})]
    texts = [answer.text for answer in answers[:-1]]
    texts += [json.dumps(answers[-1].json["status"]), caplog.text]
    secret_parts = [token.rpartition(".")[2] for token in tokens]
    assert not [part for part in secret_parts for text in texts if part in text]


@settings(max_examples=60, deadline=None)
@given(token=TOKENS)
def test_malformed_tokens_are_unauthorized(everything: ThreadedApiServer, token: str) -> None:
    answer = asked(everything, token=token)
    assert answer.code == 401
    assert (answer.reason, answer.message) == ("Unauthorized", "Unauthorized")


@given(token=TOKENS)
def test_any_token_has_an_issuer_or_none(token: str) -> None:
    assert isinstance(issuer_of(token), str)


@given(
    claims=st.dictionaries(
        st.sampled_from(["sub", "aud", "groups", "email", "email_verified", "uid"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text() | st.none()),
    )
)
def test_any_claims_make_a_user_or_a_reason(claims: Object) -> None:
    issuer = JwtIssuer("https://x", ("a",), groups_claim="groups", uid_claim="uid")
    reason = ""
    try:
        assert user_of_claims(issuer, {**claims, "aud": "a"}).name
    except TokenError as error:
        reason = str(error)
    assert not reason or reason.startswith("oidc: ")
