"""Who may call a kubelet, as the API server says: by certificates and tokens, for each path."""

import dataclasses
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from control_plane.api.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    SERVICEACCOUNTS,
)
from node.kubelet.access import reviews
from node.kubelet.access.attributes import asked
from node.kubelet.access.caller import Caller, of_certificate, of_user_info, subject_of
from node.kubelet.access.remembered import Remembered
from tests.node.stage import Stage
from tests.support.apiserver import NODE

CALLER = "apiserver-kubelet-client"
RBAC = "rbac.authorization.k8s.io"
ENDS = "Jan  1 00:00:00 2030 GMT"
BEFORE, AFTER = 1_800_000_000.0, 1_900_000_000.0


@pytest.mark.parametrize(
    ("method", "path", "verb", "subresources"),
    [
        ("GET", "/pods", "get", ("pods", "proxy")),
        ("GET", "/runningpods/", "get", ("pods", "proxy")),
        ("GET", "/healthz/ping", "get", ("healthz", "proxy")),
        ("GET", "/healthzz", "get", ("proxy",)),
        ("GET", "/configz", "get", ("configz", "proxy")),
        ("GET", "/stats/summary", "get", ("stats",)),
        ("GET", "/metrics/cadvisor", "get", ("metrics",)),
        ("GET", "/logs/", "get", ("log",)),
        ("POST", "/checkpoint/default/web/main", "create", ("checkpoint",)),
        ("POST", "/exec/default/web/main", "create", ("proxy",)),
        ("GET", "/containerLogs/default/web/main", "get", ("proxy",)),
        ("PUT", "/", "update", ("proxy",)),
        ("OPTIONS", "/pods", "", ("pods", "proxy")),
    ],
)
def test_what_a_path_needs(
    method: str, path: str, verb: str, subresources: tuple[str, ...]
) -> None:
    assert asked(method, path) == (verb, subresources)


def certificate(**subject: str) -> dict[str, Any]:
    names = tuple(((key, value),) for key, value in subject.items())
    return {"subject": names, "notAfter": ENDS}


def test_who_a_certificate_is() -> None:
    found = of_certificate(certificate(organizationName="a", commonName="c"), b"der", BEFORE)
    assert found is not None
    assert (found.name, found.groups) == ("c", ("a", "system:authenticated"))
    (credential,) = found.extra["authentication.kubernetes.io/credential-id"]
    assert credential.startswith("X509SHA256=")
    assert of_certificate(certificate(organizationName="a"), b"der", BEFORE) is None
    assert of_certificate(certificate(commonName="c"), b"der", AFTER) is None
    assert of_certificate({}, b"", BEFORE) is None


def test_the_subject_of_a_certificate() -> None:
    names = ((("organizationName", "a"),), (("organizationName", "b"),), (("commonName", "c"),))
    found = subject_of({"subject": names})
    assert found == {"organizationName": ["a", "b"], "commonName": ["c"]}


def test_who_a_token_is() -> None:
    info = {"username": "u", "groups": ["g"], "uid": "1", "extra": {"k": ["v"]}}
    expected = Caller("u", ("g", "system:authenticated"), "1", {"k": ("v",)})
    assert of_user_info(info) == expected
    assert of_user_info({}) is None


def test_answers_are_forgotten_in_time_and_beyond_a_number() -> None:
    now = [0.0]
    remembered: Remembered[None] = Remembered(2, lambda: now[0])
    remembered.put("a", None, 10.0)
    assert remembered.get("a") == (None,)
    now[0] = 10.0
    assert remembered.get("a") is None
    for key in ("b", "c", "d"):
        remembered.put(key, None, 10.0)
    assert len(remembered) == 2
    assert remembered.get("b") is None
    assert remembered.get("d") == (None,)


@pytest.fixture
def runtime_name() -> str:
    return "simulated"


@pytest.fixture
async def forgetful(cluster: Stage) -> AsyncIterator[Stage]:
    """A kubelet that does not remember a no."""
    cluster.config = dataclasses.replace(cluster.config, denied_cache_seconds=0.0)
    async with cluster:
        yield cluster


async def call(stage: Stage, path: str, caller: str = "", token: str = "") -> tuple[int, str]:
    """What the kubelet answers at a path."""
    ca = stage.server.pki.pair("ca").certificate
    context = ssl.create_default_context(cafile=str(ca))
    if caller:
        pair = stage.server.pki.pair(caller)
        context.load_cert_chain(pair.certificate, pair.key)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"https://127.0.0.1:{stage.config.port}{path}"
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as session,
        session.get(url) as response,
    ):
        return response.status, await response.text()


async def token_of(stage: Stage, name: str, *subresources: str) -> str:
    """The token of a new service account that may get these of nodes."""
    meta = {"name": name, "namespace": "default"}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    await stage.client.create(SERVICEACCOUNTS, account)
    resources = [f"nodes/{one}" for one in subresources] or ["none"]
    rule = {"apiGroups": [""], "resources": resources, "verbs": ["get"]}
    role = {"metadata": {"name": name}, "rules": [rule]}
    head = {"apiVersion": f"{RBAC}/v1"}
    await stage.client.create(CLUSTERROLES, {**head, "kind": "ClusterRole", **role})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", **meta}],
    }
    await stage.client.create(
        CLUSTERROLEBINDINGS, {**head, "kind": "ClusterRoleBinding", **binding}
    )
    path = f"/api/v1/namespaces/default/serviceaccounts/{name}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = await stage.client.request("POST", path, body=request)
    return str(answer["status"]["token"])


async def test_a_kubelet_lets_in_whom_the_api_server_lets(forgetful: Stage) -> None:
    """One kubelet for all kinds of callers: each start of one takes seconds."""
    await the_api_server_and_administrators_may_and_nodes_may_not(forgetful)
    assert await call(forgetful, "/healthz") == (401, "Unauthorized")
    assert await call(forgetful, "/healthz", token="rubbish") == (401, "Unauthorized")
    await tokens_may_what_their_roles_allow(forgetful)


async def the_api_server_and_administrators_may_and_nodes_may_not(stage: Stage) -> None:
    for caller in (CALLER, "admin"):
        assert (await call(stage, "/pods", caller))[0] == 200, caller
    assert await call(stage, "/pods", f"kubelet-{NODE}") == (
        403,
        f"Forbidden (user=system:node:{NODE}, verb=get, resource=nodes, "
        "subresource(s)=[pods proxy])",
    )
    assert await call(stage, "/exec/default/web/main", "scheduler") == (
        403,
        "Forbidden (user=system:kube-scheduler, verb=get, resource=nodes, subresource(s)=[proxy])",
    )


async def tokens_may_what_their_roles_allow(stage: Stage) -> None:
    healthy = await token_of(stage, "prober", "healthz")
    assert await call(stage, "/healthz", token=healthy) == (200, "ok")
    user = "user=system:serviceaccount:default:prober"
    assert (await call(stage, "/pods", token=healthy))[1].startswith(f"Forbidden ({user}, ")
    assert (await call(stage, "/metrics", token=healthy))[1] == (
        f"Forbidden ({user}, verb=get, resource=nodes, subresource(s)=[metrics])"
    )
    everything = await token_of(stage, "proxied", "proxy")
    for path in ("/healthz", "/pods"):
        assert (await call(stage, path, token=everything))[0] == 200, path
    nothing = await token_of(stage, "nothing")
    assert (await call(stage, "/pods", token=nothing))[0] == 403
    role = await stage.client.get(CLUSTERROLES, "nothing")
    role["rules"][0]["resources"] = ["nodes/pods"]
    await stage.client.update(CLUSTERROLES, role)
    assert (await call(stage, "/pods", token=nothing))[0] == 200


async def test_answers_are_good_while_the_api_server_is_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "PAUSE_SECONDS", 0.01)
    token = await token_of(stage, "prober", "healthz")
    assert (await call(stage, "/healthz", token=token))[0] == 200
    assert (await call(stage, "/pods", CALLER))[0] == 200
    await stage.server.stop()
    assert (await call(stage, "/healthz", token=token))[0] == 200
    assert (await call(stage, "/pods", CALLER))[0] == 200
    assert await call(stage, "/pods", "admin") == (
        500,
        "Authorization error (user=kubernetes-admin, verb=get, resource=nodes, subresource=pods)",
    )
    assert await call(stage, "/pods", token=f"{token}x") == (401, "Unauthorized")
