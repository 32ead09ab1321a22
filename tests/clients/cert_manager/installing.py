"""cert-manager's installation: its CRDs, its roles, its parts, and its webhooks' certificate."""

import json
from functools import partial

from tests.clients.cert_manager.module import ACCESS, WEBHOOKS
from tests.clients.cert_manager.objects import APP, issuer
from tests.clients.cert_manager.stage import ACCOUNTS, NAMESPACE, Stage, has
from tests.support.wait import wait_until

SERVICE = "cert-manager-webhook"
CONFIGURATIONS = ("validatingwebhookconfiguration", "mutatingwebhookconfiguration")


def apply_crds(stage: Stage) -> None:
    """As clients do: all are made, become established, and are unchanged by the same again."""
    crds = str(stage.cert_manager.crds)
    said = stage.kubectl("apply", "-f", crds)
    assert said.count(" created") == len(stage.cert_manager.crd_names()), said
    _are_established(stage)
    assert "configured" not in (again := stage.kubectl("apply", "-f", crds)), again


def apply_crds_server_side(stage: Stage) -> None:
    """As a server does: kubectl is a manager of theirs, and the same again is no change."""
    words = ("apply", "--server-side", "-f", str(stage.cert_manager.crds))
    assert "serverside-applied" in stage.kubectl(*words)
    before = stage.get("crd")["items"]
    stage.kubectl(*words)
    after = stage.get("crd")["items"]
    versions = [[crd["metadata"]["resourceVersion"] for crd in crds] for crds in (before, after)]
    assert versions[0] == versions[1], f"changed by the same again: {versions}"
    _are_established(stage)
    fields = stage.get("crd", "certificates.cert-manager.io", "--show-managed-fields")
    managers = [(row["manager"], row["operation"]) for row in fields["metadata"]["managedFields"]]
    assert ("kubectl", "Apply") in managers, managers


def _are_established(stage: Stage) -> None:
    stage.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=90s")
    found = stage.get("crd")["items"]
    assert sorted(crd["metadata"]["name"] for crd in found) == stage.cert_manager.crd_names()
    assert all(has(crd, "NamesAccepted") for crd in found), found


def install(stage: Stage) -> None:
    """Apply the chart's roles and bindings, and start each part under its account."""
    stage.kubectl("create", "namespace", NAMESPACE)
    for account in ACCOUNTS.values():
        stage.kubectl("create", "serviceaccount", account, "-n", NAMESPACE)
    said = stage.kubectl("apply", "-f", "-", stdin=stage.cert_manager.chart(*ACCESS))
    assert all(line.endswith(" created") for line in said.splitlines()), said
    for part in ACCOUNTS:
        stage.start(part)


def inject_ca(stage: Stage) -> None:
    """Apply the chart's webhooks; the cainjector copies the CA of the webhook's Secret there."""
    _serve_webhook(stage)
    stage.kubectl("apply", "-f", "-", stdin=stage.cert_manager.chart(*WEBHOOKS))
    for kind in CONFIGURATIONS:
        wait_until(partial(_has_bundle, stage, kind), f"the caBundle of the {kind}")
    expected = stage.get("secret", f"{SERVICE}-ca", "-n", NAMESPACE)["data"]["ca.crt"]
    assert {_bundle(stage, kind) for kind in CONFIGURATIONS} == {expected}


def _has_bundle(stage: Stage, kind: str) -> bool:
    return _bundle(stage, kind) != ""


def _bundle(stage: Stage, kind: str) -> str:
    return str(stage.get(kind, SERVICE)["webhooks"][0]["clientConfig"].get("caBundle", ""))


def _serve_webhook(stage: Stage) -> None:
    """A Service without a selector: the webhook runs beside the cluster, at the node's address."""
    addresses = stage.get("nodes")["items"][0]["status"]["addresses"]
    address = next(row["address"] for row in addresses if row["type"] == "InternalIP")
    port = {"name": "https", "port": stage.webhook_port}
    metadata = {"name": SERVICE, "namespace": NAMESPACE}
    for obj in (
        {"kind": "Service", "spec": {"ports": [{"name": "https", "port": 443}]}},
        {"kind": "Endpoints", "subsets": [{"addresses": [{"ip": address}], "ports": [port]}]},
    ):
        stage.apply({"apiVersion": "v1", "metadata": metadata, **obj})


def reach_webhook(stage: Stage) -> None:
    """An issuer is accepted as soon as the webhook serves, which failurePolicy Fail asks for."""
    stage.kubectl("create", "namespace", APP)
    asked = json.dumps(issuer("self-signed", selfSigned={}))
    words = ("apply", "-f", "-")
    wait_until(lambda: stage.cluster.run_kubectl(*words, stdin=asked).returncode == 0, "a webhook")
    stage.until_ready("issuer", "self-signed", "-n", APP)
