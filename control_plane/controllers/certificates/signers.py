"""SIGNERS: what each signer of the control plane signs, and says of what it does not. Pure.

Source: kubernetes pkg/apis/certificates/helpers.go and pkg/controller/certificates/signer, v1.35.
"""

from collections.abc import Callable, Mapping, Sequence

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

API_CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY_UNKNOWN = "kubernetes.io/legacy-unknown"
NODE_PREFIX, NODES = "system:node:", "system:nodes"

_CLIENT = frozenset({"digital signature", "key encipherment", "client auth"})
_SERVER = frozenset({"digital signature", "key encipherment", "server auth"})

Objection = Callable[[x509.CertificateSigningRequest, Sequence[str]], str]


def common_name(request: x509.CertificateSigningRequest) -> str:
    """The common name of the subject, "" for none."""
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[-1].value) if names else ""


def organizations(request: x509.CertificateSigningRequest) -> list[str]:
    """The organizations of the subject."""
    found = request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return [str(each.value) for each in found]


def alternative_names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    """The subject's alternative names."""
    try:
        found = request.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return []
    return list(found.value) if isinstance(found.value, x509.SubjectAlternativeName) else []


def api_client(_request: x509.CertificateSigningRequest, usages: Sequence[str]) -> str:
    """Anybody's client certificate, for nothing but to be a client."""
    for usage in usages:
        if usage not in _CLIENT:
            return f"invalid usage for client certificate: {usage}"
    if "client auth" not in usages:
        return "missing required usage for client certificate: client auth"
    return ""


def kubelet_client(request: x509.CertificateSigningRequest, usages: Sequence[str]) -> str:
    """A node's client certificate: its name, its group, and nothing else."""
    kinds = {type(name) for name in alternative_names(request)}
    if organizations(request) != [NODES]:
        return "subject organization is not system:nodes"
    for kind, text in _NOT_ALLOWED.items():
        if kind in kinds:
            return f"{text} subjectAltNames are not allowed"
    if not common_name(request).startswith(NODE_PREFIX):
        return "subject common name does not begin with system:node: "
    return _usages_objection(usages, _CLIENT)


def kubelet_serving(request: x509.CertificateSigningRequest, usages: Sequence[str]) -> str:
    """A node's serving certificate: for names or addresses, and nothing else."""
    kinds = {type(name) for name in alternative_names(request)}
    if organizations(request) != [NODES]:
        return "subject organization is not system:nodes"
    if not kinds & {x509.DNSName, x509.IPAddress}:
        return "DNS or IP subjectAltName is required"
    for kind in (x509.RFC822Name, x509.UniformResourceIdentifier):
        if kind in kinds:
            return f"{_NOT_ALLOWED[kind]} subjectAltNames are not allowed"
    if not common_name(request).startswith(NODE_PREFIX):
        return "subject common name does not begin with system:node: "
    return _usages_objection(usages, _SERVER)


def _anything(_request: x509.CertificateSigningRequest, _usages: Sequence[str]) -> str:
    return ""


_NOT_ALLOWED: Mapping[type[x509.GeneralName], str] = {
    x509.DNSName: "DNS",
    x509.RFC822Name: "Email",
    x509.IPAddress: "IP",
    x509.UniformResourceIdentifier: "URI",
}


def _usages_objection(usages: Sequence[str], allowed: frozenset[str]) -> str:
    """Key encipherment may be left out, and nothing else."""
    if set(usages) in (allowed, allowed - {"key encipherment"}):
        return ""
    return f"usages did not match [{' '.join(sorted(allowed))}]"


# the signer's name: what it has against a request, "" for nothing
SIGNERS: Mapping[str, Objection] = {
    API_CLIENT: api_client,
    KUBELET_CLIENT: kubelet_client,
    KUBELET_SERVING: kubelet_serving,
    LEGACY_UNKNOWN: _anything,
}
