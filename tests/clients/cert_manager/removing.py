"""The end: a certificate with what it owns, its namespace, and cert-manager's own kinds."""

import json

from tests.clients.cert_manager.objects import APP, GROUP, cluster_issuer
from tests.clients.cert_manager.stage import Stage, has
from tests.support.wait import wait_until

HOLD = "example.com/hold"
CRD = "clusterissuers.cert-manager.io"
REQUESTS = ("certificaterequest", "web-1", "web-2", "-n", APP)


def delete_in_foreground(stage: Stage) -> None:
    """With a certificate go the requests that it owns, before it; the Secret is nobody's."""
    assert not stage.absent(*REQUESTS)
    words = ("--cascade=foreground", "--timeout=90s")
    stage.kubectl("delete", "certificate", "web", "-n", APP, *words)
    assert stage.absent(*REQUESTS)
    assert not stage.absent("secret", "web-tls", "-n", APP)


def delete_namespace(stage: Stage) -> None:
    """A namespace goes with all custom resources in it, while their controllers run."""
    stage.kubectl("delete", "namespace", APP, "--timeout=90s")
    assert stage.absent("namespace", APP)
    left = stage.get("certificates,certificaterequests,issuers", "--all-namespaces")["items"]
    assert left == [], left


def delete_crds(stage: Stage) -> None:
    """A CRD stays, Terminating, while a finalizer holds one of its objects, and takes no more."""
    stage.apply(cluster_issuer("held", HOLD))
    stage.kubectl("delete", "-f", str(stage.cert_manager.crds), "--wait=false")
    wait_until(lambda: has(stage.get("crd", CRD), "Terminating"), "a CRD that ends")
    another = json.dumps(cluster_issuer("another", HOLD))
    said = stage.refusal("create", "-f", "-", stdin=another)
    assert "create not allowed while custom resource definition is terminating" in said, said
    release = ("--type=merge", '--patch={"metadata":{"finalizers":[]}}')
    stage.kubectl("patch", "clusterissuer", "held", *release)
    wait_until(lambda: stage.absent("crd"), "the CRDs to be gone")
    said = stage.refusal("get", "--raw", f"/apis/{GROUP}/v1/clusterissuers")
    assert "could not find the requested resource" in said, said
