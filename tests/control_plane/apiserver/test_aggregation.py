"""An API that another server serves, behind a service of the cluster, used through this one."""

import base64
import datetime
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from control_plane.api.openapi.v2_protobuf import MEDIA_TYPE as PROTOBUF
from control_plane.apiserver import bootstrap
from control_plane.apiserver.aggregation.identity import with_identity
from control_plane.apiserver.aggregation.merging import from_resource_list, merged_groups
from control_plane.apiserver.aggregation.remote import remote_of
from control_plane.apiserver.auth.user import User
from control_plane.client import certificate_files
from control_plane.pki.authority import Authority, Identity, KeyPair
from control_plane.pki.cluster import rotate_pki
from tests.control_plane.apiserver.aggregated_peer import (
    FLUNDER,
    GROUP,
    META,
    PATH,
    RESOURCES,
    VERBS,
    VERSION,
    AggregatedPeer,
)
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.delegated_auth import DelegatedAuth
from tests.control_plane.apiserver.test_api_services import PATH as API_SERVICES
from tests.control_plane.apiserver.test_api_services import condition, wait_for_condition
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.control_plane.apiserver.upgrade_peer import upgrade_peer
from tests.support.apiserver import ThreadedApiServer, cluster_pki
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.ports import free_port
from tests.support.raw_api import RawApi
from tests.support.raw_http import RawConnection
from tests.support.wait import wait_until

NAME = f"{VERSION}.{GROUP}"
FLUNDERS = f"{PATH}/namespaces/default/flunders"
SERVICES = "/api/v1/namespaces/default/services"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def api_service(ca_bundle: str = "", group: str = GROUP, **service: Any) -> dict[str, Any]:
    reference = {"namespace": "default", "name": "wardle", "port": 443, **service}
    spec = {
        "group": group,
        "version": VERSION,
        "service": reference,
        "caBundle": ca_bundle,
        "groupPriorityMinimum": 2000,
        "versionPriority": 200,
    }
    return {"metadata": {"name": f"{VERSION}.{group}"}, "spec": spec}


def endpoint_slice(address: str, port: int, service: str = "wardle") -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": service}
    return {
        "metadata": {"name": f"{service}-1", "labels": labels},
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": port}],
        "endpoints": [{"addresses": [address]}],
    }


@pytest.fixture(scope="module")
def peer(
    server: ThreadedApiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AggregatedPeer]:
    """The other server, registered and available."""
    directory = tmp_path_factory.mktemp("wardle")
    with (
        raw_api(server) as api,
        delegated(server, api) as auth,
        AggregatedPeer(directory, auth) as peer,
    ):
        register(api, peer)
        yield peer
        for path in (f"{API_SERVICES}/{NAME}", f"{SLICES}/wardle-1", f"{SERVICES}/wardle"):
            api.delete(path)


def register(api: RawApi, peer: AggregatedPeer) -> None:
    """Make the service, its endpoints and the APIService, which is refused in between."""
    bundle = base64.b64encode(peer.ca.read_bytes()).decode()
    ports = [{"name": "https", "port": 443, "targetPort": peer.port}]
    body = {"metadata": {"name": "wardle"}, "spec": {"ports": ports}}
    assert api.post(SERVICES, body).code == 201
    assert api.post(API_SERVICES, api_service(bundle)).code == 201
    wait_until(lambda: api.get(PATH).text == "service unavailable\n", "the refusal")
    assert api.post(SLICES, endpoint_slice(peer.address, peer.port)).code == 201
    wait_for_condition(api, NAME, "Passed")
    wait_until(lambda: api.get(PATH).code == 200, "the APIService to be in force")


def binding(kind: str, name: str, role: str, namespace: str = "") -> dict[str, Any]:
    """Give a service account called wardle a role."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    subject = {"kind": "ServiceAccount", "name": "wardle", "namespace": "default"}
    return {
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [subject],
    }


@contextmanager
def delegated(server: ThreadedApiServer, api: RawApi) -> Iterator[DelegatedAuth]:
    """What a server has that runs as a service account with the two rights it needs."""
    assert api.post(ACCOUNTS, {"metadata": {"name": "wardle"}}).code in (201, 409)
    reader = binding(
        "Role", "wardle-reader", "extension-apiserver-authentication-reader", "kube-system"
    )
    bindings = f"{RBAC}/namespaces/kube-system/rolebindings"
    assert api.post(bindings, reader).code in (201, 409)
    delegator = binding("ClusterRole", "wardle-delegator", "system:auth-delegator")
    assert api.post(f"{RBAC}/clusterrolebindings", delegator).code in (201, 409)
    token = api.post(f"{ACCOUNTS}/wardle/token", {"spec": {}}).json["status"]["token"]
    with RawApi(server.url, server.pki.pair("ca").certificate, token=token) as own:
        yield DelegatedAuth(own)


def test_the_sample_server_can_be_used_by_kubectl(
    server: ThreadedApiServer, peer: AggregatedPeer, tmp_path: Path
) -> None:
    kubectl = Kubectl(server.kubeconfig, tmp_path, "default")
    assert "Local" not in kubectl("get", "apiservice", NAME, "--no-headers")
    assert "flunders" in kubectl("api-resources", f"--api-group={GROUP}")
    manifest = tmp_path / "flunder.yaml"
    manifest.write_text(
        f"apiVersion: {GROUP}/{VERSION}\nkind: Flunder\nmetadata:\n  name: rainbow\n"
    )
    kubectl("create", "--validate=false", "-f", str(manifest))
    assert kubectl("get", "fl", "rainbow", "-o", "name").strip() == f"flunder.{GROUP}/rainbow"
    assert "rainbow" in kubectl("get", "flunders")
    kubectl("delete", "flunder", "rainbow", "--wait=false")
    assert not peer.flunders


def test_the_other_server_learns_who_asks(api: RawApi, peer: AggregatedPeer) -> None:
    forged = {"X-Remote-User": "mallory", "X-Remote-Extra-A": "b", "Authorization": "Basic eDp5"}
    assert api.request("GET", f"{FLUNDERS}?limit=5", headers=forged).code == 200
    headers = [one for method, path, one in peer.asked if (method, path) == ("GET", FLUNDERS)][-1]
    assert headers["x-remote-user"] == ["kubernetes-admin"]
    assert set(headers["x-remote-group"]) == {"system:masters", "system:authenticated"}
    assert not {"authorization", "x-remote-extra-a"} & headers.keys()
    assert headers["x-forwarded-for"] == ["127.0.0.1"]
    admin = peer.last_caller("kubernetes-admin")
    (credential,) = admin.extra["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("X509SHA256=")


def test_the_other_server_believes_front_proxies_and_users_by_their_certificates(
    server: ThreadedApiServer, peer: AggregatedPeer, tmp_path: Path
) -> None:
    """As the ConfigMap extension-apiserver-authentication tells it."""
    pki, url = server.pki, f"https://{peer.address}:{peer.port}"
    other = KeyPair(tmp_path / "other.crt", tmp_path / "other.key")
    now = datetime.datetime.now(datetime.UTC)
    Authority.open(pki.front_proxy("ca"), now).ensure(other, Identity("back-proxy"), now)
    said = {"X-Remote-User": "jane", "X-Remote-Group": "riders", "X-Remote-Uid": "7"}

    def asked(pair: KeyPair | None, token: str = "") -> int:
        with RawApi(url, peer.ca, pair, token) as direct:
            return direct.request("GET", FLUNDERS, headers=said).code

    assert asked(pki.front_proxy("client")) == 403
    jane = peer.last_caller("jane")
    assert (jane.groups, jane.uid) == (("riders",), "7")
    assert asked(other) == 401
    peer.callers.clear()
    assert asked(pki.pair("admin")) == 200
    assert peer.last_caller("kubernetes-admin").uid == ""
    assert asked(None) == 403
    assert peer.last_caller("system:anonymous").groups == ("system:unauthenticated",)
    assert asked(None, "rubbish") == 401
    with raw_api(server) as api:
        token = api.post(f"{ACCOUNTS}/wardle/token", {"spec": {}}).json["status"]["token"]
    assert asked(None, token) == 403
    assert peer.last_caller("system:serviceaccount:default:wardle").uid


def test_a_new_front_proxy_is_believed_while_all_goes_on(
    store: Etcd | Datastore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a cluster whose two authorities had one name, as clusters were once made."""
    monkeypatch.setattr(bootstrap, "ROUND_SECONDS", 0.2)
    monkeypatch.setattr(certificate_files, "LOOK_SECONDS", 0.2)
    now = datetime.datetime.now(datetime.UTC)
    directory = tmp_path / "cluster"
    pki = cluster_pki(directory, "https://127.0.0.1:6443")
    Authority.replace(pki.front_proxy("ca"), now, "tapir-ca")
    server = ThreadedApiServer(store.endpoint, directory, etcd_prefix=f"/rotated-{tmp_path.name}")
    with (
        server,
        raw_api(server) as api,
        delegated(server, api) as auth,
        AggregatedPeer(tmp_path / "wardle", auth, 0.2) as peer,
    ):
        register(api, peer)
        assert "front-proxy/ca" in rotate_pki(directory, now)
        new = pki.front_proxy("client").certificate.read_text()

        def shows_the_new_one() -> bool:
            answer = api.get(FLUNDERS)
            return answer.code == 200 and peer.shown[-1] == ssl.PEM_cert_to_DER_cert(new)

        wait_until(shows_the_new_one, "an answer to the new certificate")
        assert peer.last_caller("kubernetes-admin").groups[0] == "system:masters"


def test_who_may_not_is_not_passed_on(server: ThreadedApiServer, peer: AggregatedPeer) -> None:
    before = len([path for _, path, _ in peer.asked if path == FLUNDERS])
    with raw_api(server, "scheduler") as api:
        refused = api.get(FLUNDERS)
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert f'cannot list resource "flunders" in API group "{GROUP}"' in refused.message
    assert len([path for _, path, _ in peer.asked if path == FLUNDERS]) == before


def test_watches_are_passed_on(api: RawApi, peer: AggregatedPeer) -> None:
    (event,) = api.watch(f"{FLUNDERS}?watch=1")
    assert event["type"] == "BOOKMARK"


async def test_a_websocket_is_passed_on_both_ways(
    server: ThreadedApiServer, peer: AggregatedPeer
) -> None:
    tls = ssl.create_default_context(cafile=str(server.pki.pair("ca").certificate))
    tls.load_cert_chain(server.pki.pair("admin").certificate, server.pki.pair("admin").key)
    url = f"{server.url}{FLUNDERS}/rainbow/chat".replace("https:", "wss:")
    async with connect(url, ssl=tls, subprotocols=[Subprotocol("v1.chat")]) as socket:
        assert socket.subprotocol == "v1.chat"
        for text in ("here", "and there" * 10_000):
            await socket.send(text)
            assert await socket.recv() == text.upper()
    assert peer.socket_users[-1] == ["kubernetes-admin"]


def test_any_other_protocol_is_passed_on_both_ways(
    server: ThreadedApiServer, api: RawApi, tmp_path: Path
) -> None:
    group = "pipes.example.com"
    path, pipe = f"/apis/{group}/{VERSION}", f"/apis/{group}/{VERSION}/namespaces/default/pipes/p"
    with upgrade_peer(tmp_path) as pipes:
        address, port = pipes.server_address[:2]
        bundle = base64.b64encode(pipes.ca.certificate.read_bytes()).decode()
        ports = [{"name": "https", "port": 443}]
        service = {"metadata": {"name": "pipes"}, "spec": {"ports": ports}}
        assert api.post(SERVICES, service).code == 201
        assert api.post(SLICES, endpoint_slice(str(address), port, "pipes")).code == 201
        assert api.post(API_SERVICES, api_service(bundle, group, name="pipes")).code == 201
        wait_until(lambda: api.get(path).code == 200, "the APIService to be in force")
        head = (
            f"GET {pipe}?a=b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
            "X-Remote-User: mallory\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n"
        )
        with RawConnection(server.server.port, server.pki) as client:
            client.socket.sendall(head.encode())
            answer = client.socket.recv(65536)
            assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
            assert b"Upgrade: SPDY/3.1\r\n" in answer
            for said in (b"ping", b"pong"):
                client.socket.sendall(said)
                assert client.socket.recv(65536) == said.upper()
        (line, headers) = pipes.heads[-1]
        assert line == f"GET {pipe}?a=b HTTP/1.1"
        assert headers["host"] == "pipes.default.svc:443"
        assert headers["x-remote-user"] == "kubernetes-admin"
        assert headers["x-stream-protocol-version"] == "v4.channel.k8s.io"
    for left in (
        f"{API_SERVICES}/{VERSION}.{group}",
        f"{SLICES}/pipes-1",
        f"{SERVICES}/pipes",
    ):
        assert api.delete(left).code == 200


def test_a_server_that_has_left_is_unavailable_and_says_why(
    api: RawApi, peer: AggregatedPeer
) -> None:
    """Between its end and the next look at it, its clients get the reason themselves."""
    nobody = endpoint_slice(peer.address, free_port())
    assert api.put(f"{SLICES}/wardle-1", nobody).code == 200
    wait_until(lambda: api.get(FLUNDERS).code == 503, "the refusal")
    assert api.get(FLUNDERS).headers["content-type"].startswith("text/plain")
    assert api.patch(f"{API_SERVICES}/{NAME}", {"spec": {"versionPriority": 90}}).code == 200
    found = wait_for_condition(api, NAME, "FailedDiscoveryCheck")
    url = f"https://wardle.default.svc:443{PATH}"
    assert found[0] == "False"
    assert found[2].startswith(f"failing or missing response from {url}: Get {chr(34)}{url}")
    assert "connection refused" in found[2]
    assert api.put(f"{SLICES}/wardle-1", endpoint_slice(peer.address, peer.port)).code == 200
    wait_for_condition(api, NAME, "Passed")
    wait_until(lambda: api.get(FLUNDERS).code == 200, "the answer")


def test_discovery_names_what_the_other_server_serves(api: RawApi, peer: AggregatedPeer) -> None:
    groups = {one["name"]: one for one in api.get("/apis").json["groups"]}
    version = {"groupVersion": f"{GROUP}/{VERSION}", "version": VERSION}
    assert groups[GROUP] == {"name": GROUP, "versions": [version], "preferredVersion": version}
    assert api.get(f"/apis/{GROUP}").json["kind"] == "APIGroup"
    assert api.get(PATH).json == RESOURCES
    items = api.get("/apis", accept=AGGREGATED).json["items"]
    (found,) = [one for one in items if one["metadata"]["name"] == GROUP]
    (served,) = found["versions"]
    assert (served["version"], served["freshness"]) == (VERSION, "Current")
    (resource,) = served["resources"]
    assert resource == {
        "resource": "flunders",
        "responseKind": {"group": GROUP, "version": VERSION, "kind": "Flunder"},
        "scope": "Namespaced",
        "singularResource": "flunder",
        "verbs": VERBS,
        "shortNames": ["fl"],
    }


def test_openapi_names_what_the_other_server_describes(api: RawApi, peer: AggregatedPeer) -> None:
    paths = api.get("/openapi/v3").json["paths"]
    assert "api/v1" in paths
    url = paths[PATH.removeprefix("/")]["serverRelativeURL"]
    assert api.get(url).json["info"]["title"] == "wardle"


def test_openapi_v2_is_one_document_of_both_servers(api: RawApi, peer: AggregatedPeer) -> None:
    flunders = f"{PATH}/namespaces/{{namespace}}/flunders/{{name}}"
    wait_until(lambda: flunders in api.get("/openapi/v2").json["paths"], "the other's paths")
    answer = api.get("/openapi/v2")
    assert answer.headers["etag"] == api.get("/openapi/v2").headers["etag"]
    document = answer.json
    assert "/api/v1/namespaces/{namespace}/pods" in document["paths"]
    assert "/healthz" not in document["paths"]
    assert document["info"]["title"] == "Kubernetes"
    read = document["paths"][flunders]["get"]
    assert [one["name"] for one in read["parameters"]] == ["name"]
    definitions = document["definitions"]
    assert definitions[META]["description"].startswith("ObjectMeta is metadata")
    assert definitions[f"{META}_v2"]["description"] == "not as this server has it"
    reference = definitions[FLUNDER]["properties"]["metadata"]["$ref"]
    assert reference == f"#/definitions/{META}_v2"
    assert "com.example.Unused" not in definitions
    message = api.get("/openapi/v2", accept=PROTOBUF).content
    assert FLUNDER.encode() in message
    assert b"io.k8s.api.core.v1.Pod" in message


def test_without_endpoints_it_is_not_available(api: RawApi, peer: AggregatedPeer) -> None:
    ready = endpoint_slice(peer.address, peer.port)
    gone = {**ready, "endpoints": []}
    assert api.put(f"{SLICES}/wardle-1", gone).code == 200
    assert api.patch(f"{API_SERVICES}/{NAME}", {"spec": {"versionPriority": 100}}).code == 200
    found = wait_for_condition(api, NAME, "MissingEndpoints")
    assert found[::2] == (
        "False",
        'endpointslices for service/wardle in "default" have no addresses with port name "https"',
    )
    wait_until(lambda: api.get(FLUNDERS).code == 503, "the refusal")
    assert api.get(FLUNDERS).text == "service unavailable\n"
    metrics = api.get("/metrics", accept="*/*").text.splitlines()
    assert f'aggregator_unavailable_apiservice{{name="{NAME}"}} 1.0' in metrics
    assert 'aggregator_unavailable_apiservice{name="v1.apps"} 0.0' in metrics
    became = f'aggregator_unavailable_apiservice_total{{name="{NAME}",reason="MissingEndpoints"}}'
    assert [line for line in metrics if line.startswith(became)]
    assert api.put(f"{SLICES}/wardle-1", ready).code == 200
    wait_until(
        lambda: condition(api.get(f"{API_SERVICES}/{NAME}").json)[1] == "Passed", "the condition"
    )
    wait_until(lambda: api.get(FLUNDERS).code == 200, "the answer")


def test_identity_is_said_in_headers_alone() -> None:
    user = User("jané", ("a", "b"), "u-1", {"example.com/Key%": ("v",)})
    sent = with_identity([(b"x-remote-user", b"x"), (b"impersonate-user", b"y")], user)
    assert sent == [
        (b"x-remote-user", "jané".encode()),
        (b"x-remote-uid", b"u-1"),
        (b"x-remote-group", b"a"),
        (b"x-remote-group", b"b"),
        (b"x-remote-extra-example.com%2Fkey%25", b"v"),
    ]


def test_groups_and_versions_are_ordered_by_priority() -> None:
    high = remote_of(api_service(), None)
    spec = {**api_service()["spec"], "version": "v1", "versionPriority": 10}
    low = remote_of({"metadata": {"name": "x"}, "spec": spec}, None)
    assert high is not None
    assert low is not None
    local = {"kind": "APIGroupList", "groups": [{"name": "apps"}, {"name": "custom.example.com"}]}
    for one in local["groups"]:
        assert isinstance(one, dict)
        one["versions"] = [{"groupVersion": f"{one['name']}/v1", "version": "v1"}]
    groups = merged_groups(local, [low, high])["groups"]
    assert [one["name"] for one in groups] == ["apps", GROUP, "custom.example.com"]
    assert [one["version"] for one in groups[1]["versions"]] == [VERSION, "v1"]


def test_what_is_no_resource_list_is_none() -> None:
    remote = remote_of(api_service(), None)
    assert remote is not None
    documents: tuple[object, ...] = (None, [], {}, {"resources": "x"})
    for document in documents:
        assert from_resource_list(remote, document) is None
