"""The signing controller: certificates for what has been approved, by the cluster's authority.

One authority for all signers (--cluster-signing-cert-file), or one for each
(--cluster-signing-kubelet-client-cert-file and so on). A signer without one signs nothing. Files
are read anew for each certificate, so that a new authority counts at once.
Source: kubernetes pkg/controller/certificates/signer, v1.35.
"""

import base64
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from control_plane.api.objects import Object
from control_plane.api.resources import CERTIFICATESIGNINGREQUESTS
from control_plane.controllers.certificates.conditions import (
    certificate_of,
    condition_of,
    with_condition,
)
from control_plane.controllers.certificates.issuing import (
    Authority,
    issue,
    lifetime,
    parsed_request,
)
from control_plane.controllers.certificates.signers import (
    API_CLIENT,
    KUBELET_CLIENT,
    KUBELET_SERVING,
    LEGACY_UNKNOWN,
    SIGNERS,
)
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ConfigError, ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import For

NAME = "certificatesigningrequest-signing-controller"
BACKOFF_SECONDS = (0.2, 1000.0)


@dataclass(frozen=True, slots=True)
class AuthorityFiles:
    """Where a certificate and its key are, and the flag that names them."""

    certificate: Path
    key: Path
    flag: str

    def read(self) -> Authority:
        """Read them; raises ConfigError."""
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(
                f"{self.flag} {self.certificate}, {self.key}: {error}: "
                "give a certificate and its key in PEM"
            ) from error
        kinds = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
        if not isinstance(key, kinds) or certificate.public_key() != key.public_key():
            raise ConfigError(f"{self.flag}: {self.key} is not the key of {self.certificate}")
        return Authority(certificate, key)


def authority_files(config: ControllersConfig) -> Mapping[str, AuthorityFiles]:
    """The authority of each signer that has one; raises ConfigError for half of one."""
    flag = "--cluster-signing"
    common = (config.cluster_signing_cert_file, config.cluster_signing_key_file)
    own = {
        KUBELET_SERVING: (
            f"{flag}-kubelet-serving",
            config.cluster_signing_kubelet_serving_cert_file,
            config.cluster_signing_kubelet_serving_key_file,
        ),
        KUBELET_CLIENT: (
            f"{flag}-kubelet-client",
            config.cluster_signing_kubelet_client_cert_file,
            config.cluster_signing_kubelet_client_key_file,
        ),
        API_CLIENT: (
            f"{flag}-kube-apiserver-client",
            config.cluster_signing_kube_apiserver_client_cert_file,
            config.cluster_signing_kube_apiserver_client_key_file,
        ),
        LEGACY_UNKNOWN: (
            f"{flag}-legacy-unknown",
            config.cluster_signing_legacy_unknown_cert_file,
            config.cluster_signing_legacy_unknown_key_file,
        ),
    }
    is_split = any(certificate or key for _, certificate, key in own.values())
    if is_split and any(common):
        raise ConfigError(f"{flag}-cert-file and those of single signers exclude each other")
    found = {}
    for signer, (name, *pair) in own.items():
        certificate, key = pair if is_split else common
        if bool(certificate) != bool(key):
            prefix = name if is_split else flag
            raise ConfigError(f"{prefix}-cert-file and {prefix}-key-file go together: give both")
        if certificate and key:
            found[signer] = AuthorityFiles(certificate, key, f"{name if is_split else flag}-*-file")
    return found


def signing(config: ControllersConfig) -> Controller:
    """The controller of all signers; raises ConfigError for an authority that cannot be used."""
    authorities = authority_files(config)
    for files in authorities.values():
        files.read()
    most = datetime.timedelta(seconds=config.cluster_signing_duration)
    return Controller(
        NAME,
        "certificate-controller",
        partial(reconcile, authorities, most),
        sources=(For(CERTIFICATESIGNINGREQUESTS),) if authorities else (),
        backoff_seconds=BACKOFF_SECONDS,
    )


def wants_signature(request: Object) -> bool:
    """Whether the request is approved, and nothing has come of that yet."""
    is_approved = condition_of(request, "Approved") and not condition_of(request, "Denied")
    return bool(is_approved and not condition_of(request, "Failed") and not certificate_of(request))


async def reconcile(
    authorities: Mapping[str, AuthorityFiles],
    most: datetime.timedelta,
    key: str,
    cluster: Cluster,
) -> Result:
    """Sign the request, or say why it cannot be."""
    request = cluster.get(CERTIFICATESIGNINGREQUESTS, key)
    if request is None or not wants_signature(request):
        return DONE
    files = authorities.get(request["spec"]["signerName"])
    if files is None:
        return DONE
    answered = answer(files.read(), request, most, cluster.now(), cluster.stamp())
    await cluster.client.update(CERTIFICATESIGNINGREQUESTS, answered, subresource="status")
    return DONE


def answer(
    authority: Authority,
    request: Object,
    most: datetime.timedelta,
    now: datetime.datetime,
    stamp: str,
) -> Object:
    """The request with its certificate, or with why there is none. Pure."""
    spec = request["spec"]
    usages = spec.get("usages") or []
    try:
        parsed = parsed_request(spec["request"])
        objection = SIGNERS[spec["signerName"]](parsed, usages)
        if not objection:
            ends = authority.certificate.not_valid_after_utc
            dates = lifetime(now, spec.get("expirationSeconds"), most, ends)
            certificate = issue(authority, parsed, usages, dates)
    except ValueError as error:
        objection = f"unable to parse csr: {error}"
    if objection:
        return with_condition(request, "Failed", "SignerValidationFailure", objection, stamp)
    status = {
        **(request.get("status") or {}),
        "certificate": base64.b64encode(certificate).decode(),
    }
    return {**request, "status": status}
