"""The root CA publisher: every namespace has the ConfigMap `kube-root-ca.crt`, with the cluster's
CA.

Pods check the API server's certificate with it. It is put back when deleted or changed.
Source: kubernetes pkg/controller/certificates/rootcacertpublisher.
"""

from collections.abc import Iterable
from functools import partial

from cryptography import x509

from control_plane.api.errors import AlreadyExists
from control_plane.api.objects import Object, annotations_of, deep_copy, name_of, namespace_of
from control_plane.api.resources import CONFIGMAPS, NAMESPACES
from control_plane.client.config import ClientConfig
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ConfigError, ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.serviceaccount import is_active_namespace
from control_plane.controllers.sources import Change, For, Watches

NAME = "kube-root-ca.crt"
DESCRIPTION = {
    "kubernetes.io/description": (
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
        "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
        "guaranteed across distributions of Kubernetes clusters."
    )
}


def root_ca(config: ControllersConfig) -> Controller:
    """Return the publisher of the CA in config.root_ca_file, else of the kubeconfig's CA."""
    return Controller(
        "root-ca-certificate-publisher-controller",
        "root-ca-cert-publisher",
        partial(reconcile, read_ca(config)),
        sources=(For(NAMESPACES), Watches(CONFIGMAPS, namespace_of_changed)),
        workers=1,
    )


def read_ca(config: ControllersConfig) -> str:
    """The CA that is published, as PEM; raises ConfigError."""
    if config.root_ca_file is None:
        return ClientConfig.from_kubeconfig(config.kubeconfig).ca_pem.decode()
    try:
        pem = config.root_ca_file.read_bytes()
        x509.load_pem_x509_certificates(pem)
    except OSError as error:
        raise ConfigError(f"--root-ca-file {config.root_ca_file}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(
            f"--root-ca-file {config.root_ca_file} is not a PEM file of certificates"
        ) from error
    return pem.decode()


def namespace_of_changed(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the namespace whose CA ConfigMap was changed or deleted."""
    del cluster
    if change.event != "add" and name_of(change.latest) == NAME:
        yield namespace_of(change.latest)


def plan(ca: str, found: Object | None, namespace: str) -> Object | None:
    """Return the ConfigMap to write, or None when `found` is as it should be."""
    data = {"ca.crt": ca}
    if found is None:
        return {
            "apiVersion": CONFIGMAPS.api_version,
            "kind": CONFIGMAPS.kind,
            "metadata": {"name": NAME, "namespace": namespace, "annotations": dict(DESCRIPTION)},
            "data": data,
        }
    if found.get("data") == data and DESCRIPTION.items() <= annotations_of(found).items():
        return None
    wanted = deep_copy(found)
    wanted["data"] = data
    wanted["metadata"]["annotations"] = annotations_of(found) | DESCRIPTION
    return wanted


async def reconcile(ca: str, key: str, cluster: Cluster) -> Result:
    """Create or reset the ConfigMap of namespace `key`."""
    namespace = cluster.get(NAMESPACES, key)
    if namespace is None or not is_active_namespace(namespace):
        return DONE
    found = cluster.get(CONFIGMAPS, f"{key}/{NAME}")
    wanted = plan(ca, found, key)
    if wanted is None:
        return DONE
    if found is not None:
        await cluster.client.update(CONFIGMAPS, wanted)
        return DONE
    try:
        await cluster.client.create(CONFIGMAPS, wanted)
    except AlreadyExists:
        return DONE
    return DONE
