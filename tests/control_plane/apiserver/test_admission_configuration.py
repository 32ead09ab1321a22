"""Which admission plugins there are, and what the file of --admission-control-config-file says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from control_plane.api.quota.scopes import Scope
from control_plane.apiserver.admission_configuration.credentials import Credentials
from control_plane.apiserver.admission_configuration.options import AdmissionOptions
from control_plane.apiserver.admission_configuration.plugin_names import ORDER
from control_plane.apiserver.admission_configuration.settings import AdmissionSettings
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import pod, service
from tests.control_plane.apiserver.people import person
from tests.control_plane.apiserver.webhook_peer import WebhookPeer, denied
from tests.control_plane.apiserver.webhook_stage import VALIDATING, WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

POD_SECURITY = "pod-security.admission.config.k8s.io/v1"
APISERVER = "apiserver.config.k8s.io/v1"


def pod_security(**fields: Any) -> dict[str, Any]:
    inner = {"apiVersion": POD_SECURITY, "kind": "PodSecurityConfiguration", **fields}
    return {"name": "PodSecurity", "configuration": inner}


def quotas(*limits: Any) -> dict[str, Any]:
    inner = {"apiVersion": APISERVER, "kind": "ResourceQuotaConfiguration"}
    return {"name": "ResourceQuota", "configuration": {**inner, "limitedResources": list(limits)}}


def webhooks(kubeconfig: Path | str) -> dict[str, Any]:
    inner = {"apiVersion": APISERVER, "kind": "WebhookAdmissionConfiguration"}
    return {
        "name": "ValidatingAdmissionWebhook",
        "configuration": {**inner, "kubeConfigFile": str(kubeconfig)},
    }


def written(directory: Path, *plugins: Any) -> Path:
    path = directory / "admission.yaml"
    document = {"apiVersion": APISERVER, "kind": "AdmissionConfiguration"}
    path.write_text(yaml.safe_dump({**document, "plugins": list(plugins)}))
    return path


def read(path: Path) -> AdmissionSettings:
    return AdmissionOptions(path=path).read()


def test_upstreams_plugins_are_on_and_nodes_are_held_to_theirs() -> None:
    on = AdmissionOptions().read().plugins
    assert {"PodSecurity", "ResourceQuota", "MutatingAdmissionPolicy", "NodeRestriction"} <= on
    assert len(on) == 24
    assert on < set(ORDER)
    some = AdmissionOptions(frozenset({"NodeRestriction"}), frozenset({"Priority"})).read().plugins
    assert on - some == {"Priority"}
    with pytest.raises(ValueError, match=r"^\[Priority\] in enable-admission-plugins and disable-"):
        AdmissionOptions(frozenset({"Priority"}), frozenset({"Priority"})).read()


def test_what_a_file_says(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "hooks.yaml"
    users = [{"name": "*.svc", "user": {"token": "t"}}, {"name": "a.b.svc", "user": {}}]
    kubeconfig.write_text(yaml.safe_dump({"users": users}))
    scope = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
    (tmp_path / "quotas.yaml").write_text(
        yaml.safe_dump(quotas({"resource": "pods", "matchScopes": [scope]})["configuration"])
    )
    settings = read(
        written(
            tmp_path,
            pod_security(defaults={"enforce": "baseline", "enforce-version": "v1.30"}),
            {"name": "ResourceQuota", "path": "quotas.yaml"},
            webhooks(kubeconfig),
        )
    )
    assert str(settings.pod_security.defaults.enforce) == "baseline:v1.30"
    assert settings.limits[0].scopes == (Scope("PriorityClass", "In", ("high",)),)
    named = settings.validating_webhooks.for_host("x.y.svc", 443)
    assert named is not None
    assert named.token == "t"


@pytest.mark.parametrize(
    ("host", "port", "token"),
    [
        ("hook.ns.svc", 443, "exact"),
        ("hook.ns.svc", 8443, "port"),
        ("other.ns.svc", 443, "namespace"),
        ("other.else.svc", 443, "all"),
        ("other.ns.svc", 8443, "all"),
    ],
)
def test_the_nearest_user_calls_a_webhook(tmp_path: Path, host: str, port: int, token: str) -> None:
    names = {
        "hook.ns.svc": "exact",
        "hook.ns.svc:8443": "port",
        "*.ns.svc": "namespace",
        "*": "all",
    }
    users = [{"name": name, "user": {"token": token}} for name, token in names.items()]
    path = tmp_path / "hooks.yaml"
    path.write_text(yaml.safe_dump({"users": users}))
    found = Credentials.read(path).for_host(host, port)
    assert found is not None
    assert found.token == token


@pytest.mark.parametrize(
    ("plugin", "text"),
    [
        ({"name": "ImagePolicyWebhook"}, "the plugin ImagePolicyWebhook is not supported"),
        ({"name": "Foo"}, "the plugin Foo is unknown"),
        ({"name": "Priority"}, "the plugin Priority has no configuration"),
        ({"name": "PodSecurity"}, "give a configuration, or the path of one"),
        ({"name": "PodSecurity", "path": "none"}, "No such file"),
        ({}, "name: Required value"),
        (
            pod_security(defaults={"enforce": "strict"}),
            'defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, '
            "restricted",
        ),
        (
            pod_security(defaults={"warn-version": "1.30"}),
            'defaults.warn-version: Invalid value: "1.30": must be "latest" or "v1.x"',
        ),
        (pod_security(exemptions={"usernames": ["a", "a"]}), "usernames[1]: Duplicate value"),
        (pod_security(exemption={}), "exemption: Invalid value: {}: unknown field"),
        (quotas({"matchContains": ["x"]}), "limitedResources[0].resource: Required value"),
        (
            quotas({"resource": "pods", "matchScopes": [{"scopeName": "P", "operator": "Is"}]}),
            'limitedResources[0].matchScopes[0].operator: Unsupported value: "Is"',
        ),
        (webhooks("relative"), "kubeConfigFile must be an absolute file path"),
        (webhooks("/nowhere/x"), "cannot read /nowhere/x"),
    ],
)
def test_files_that_make_no_sense(tmp_path: Path, plugin: dict[str, Any], text: str) -> None:
    path = written(tmp_path, plugin)
    with pytest.raises(ValueError, match="plugins") as refused:
        read(path)
    assert str(refused.value).startswith(f"--admission-control-config-file {path}: plugins[0]: ")
    assert text in str(refused.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    for content in ("", "a: [", "kind: Pod\napiVersion: v1\n", "[]"):
        path.write_text(content)
        with pytest.raises(ValueError, match=str(path)):
            read(path)


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedApiServer]:
    """A server without Priority, on which all that is not exempt is restricted and limited."""
    directory = tmp_path_factory.mktemp("configured")
    kubeconfig = directory / "hooks.yaml"
    users = [{"name": "*", "user": {"token": "secret"}}]
    kubeconfig.write_text(yaml.safe_dump({"users": users}))
    path = written(
        directory,
        pod_security(
            defaults={"enforce": "baseline"},
            exemptions={"namespaces": ["free"], "runtimeClasses": ["kata"]},
        ),
        quotas({"resource": "pods", "matchContains": ["requests.cpu"]}),
        webhooks(kubeconfig),
    )
    more = {"AlwaysPullImages", "DenyServiceExternalIPs", "OwnerReferencesPermissionEnforcement"}
    options = AdmissionOptions(frozenset(more), frozenset({"Priority", "ServiceAccount"}), path)
    with (
        Datastore() as store,
        ThreadedApiServer(store.endpoint, directory / "cluster", admission=options) as server,
    ):
        yield server


@pytest.fixture
def own_api(configured: ThreadedApiServer) -> Iterator[RawApi]:
    with raw_api(configured) as client:
        yield client


def _namespace(api: RawApi, name: str) -> str:
    assert api.post("/api/v1/namespaces", {"metadata": {"name": name}}).code in (201, 409)
    return f"/api/v1/namespaces/{name}"


def _privileged(name: str) -> dict[str, Any]:
    body = pod(name)
    body["spec"]["containers"][0]["securityContext"] = {"privileged": True}
    return body


def test_plugins_that_are_off_do_nothing(own_api: RawApi) -> None:
    made = own_api.post(f"{_namespace(own_api, 'off')}/pods", pod("p")).json
    assert "priority" not in made["spec"]
    assert "volumes" not in made["spec"]
    assert made["spec"]["tolerations"]


def test_images_are_always_pulled_where_that_is_wanted(own_api: RawApi) -> None:
    pods = f"{_namespace(own_api, 'pulling')}/pods"
    body = pod("p")
    body["spec"]["containers"][0] |= {"image": "a:1", "imagePullPolicy": "Never"}
    made = own_api.post(pods, body).json
    assert made["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    image = {"name": "i", "image": {"reference": "b:1", "pullPolicy": "IfNotPresent"}}
    body["metadata"]["name"] = "q"
    body["spec"]["volumes"] = [image]
    made = own_api.post(pods, body).json
    assert made["spec"]["volumes"][0]["image"]["pullPolicy"] == "Always"


def test_external_addresses_are_denied_where_that_is_wanted(own_api: RawApi) -> None:
    services = f"{_namespace(own_api, 'external')}/services"
    made = own_api.post(services, service("s"))
    assert made.code == 201
    refused = own_api.patch(f"{services}/s", {"spec": {"externalIPs": ["192.0.2.1"]}})
    assert (refused.code, refused.message) == (
        403,
        'services "s" is forbidden: Use of external IPs is denied by admission control',
    )
    assert own_api.patch(f"{services}/s", {"spec": {"type": "NodePort"}}).code == 200


def test_owners_are_set_by_those_who_may_delete(
    own_api: RawApi, configured: ThreadedApiServer, tmp_path: Path
) -> None:
    path = _namespace(own_api, "owned")
    owner = own_api.post(f"{path}/configmaps", {"metadata": {"name": "owner"}}).json["metadata"]
    group = "rbac.authorization.k8s.io"
    role: dict[str, Any] = {
        "metadata": {"name": "writer"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "patch"]}],
    }
    bound = {
        "metadata": {"name": "writer"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "writer"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "wim"}],
    }
    roles = f"/apis/{group}/v1/namespaces/owned"
    for plural, body in (("roles", role), ("rolebindings", bound)):
        assert own_api.post(f"{roles}/{plural}", body).code == 201
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}

    def owned(name: str, **more: Any) -> dict[str, Any]:
        return {"metadata": {"name": name, "ownerReferences": [{**reference, **more}]}}

    with person(configured, tmp_path, "wim") as wim:
        assert wim.post(f"{path}/configmaps", {"metadata": {"name": "free"}}).code == 201
        refused = wim.post(f"{path}/configmaps", owned("a"))
        text = "cannot set an ownerRef on a resource you can't delete: "
        assert refused.code == 403
        assert refused.message.startswith(f'configmaps "a" is forbidden: {text}')
        role["rules"][0]["verbs"].append("delete")
        assert own_api.put(f"{roles}/roles/writer", role).code == 200
        assert wim.post(f"{path}/configmaps", owned("a")).code == 201
        refused = wim.patch(f"{path}/configmaps/free", owned("free", blockOwnerDeletion=True))
        text = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't "
        assert text in refused.message


def test_defaults_and_exemptions_of_pod_security(own_api: RawApi) -> None:
    plain = _namespace(own_api, "plain")
    refused = own_api.post(f"{plain}/pods", _privileged("p"))
    assert refused.code == 403
    assert 'violates PodSecurity "baseline:latest": privileged' in refused.message
    assert own_api.post(f"{_namespace(own_api, 'free')}/pods", _privileged("p")).code == 201
    kata = {"metadata": {"name": "kata"}, "handler": "kata"}
    assert own_api.post("/apis/node.k8s.io/v1/runtimeclasses", kata).code == 201
    body = _privileged("q")
    body["spec"]["runtimeClassName"] = "kata"
    assert own_api.post(f"{plain}/pods", body).code == 201


def test_labels_of_exempt_namespaces_are_of_no_use(own_api: RawApi) -> None:
    _namespace(own_api, "free")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    labelled = own_api.patch("/api/v1/namespaces/free", {"metadata": {"labels": labels}})
    assert labelled.headers["Warning"] == (
        '299 - "namespace \\"free\\" is exempt from Pod Security, and the policy '
        '(enforce=restricted:latest) will be ignored"'
    )


def test_what_is_limited_needs_a_quota(own_api: RawApi) -> None:
    path = _namespace(own_api, "limited")
    body = pod("p")
    body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1"}}
    refused = own_api.post(f"{path}/pods", body)
    assert (refused.code, refused.message) == (
        403,
        'pods "p" is forbidden: insufficient quota to consume: requests.cpu',
    )
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "2"}}}
    made = own_api.post(f"{path}/resourcequotas", quota).json
    made["status"] = {"hard": {"requests.cpu": "2"}, "used": {"requests.cpu": "0"}}
    assert own_api.put(f"{path}/resourcequotas/q/status", made).code == 200
    wait_until(lambda: own_api.post(f"{path}/pods", body).code == 201, "the quota is known")


def test_webhooks_are_called_by_the_user_that_is_named_for_them(
    own_api: RawApi, webhook_peer: WebhookPeer
) -> None:
    webhook_peer.forget()
    _namespace(own_api, "hooked")
    stage = WebhookStage(own_api, webhook_peer, "hooked")
    with stage.answering(VALIDATING, {"/no": denied(message="no")}):
        assert stage.create("a").code == 400
    assert webhook_peer.headers[-1]["Authorization"] == "Bearer secret"
