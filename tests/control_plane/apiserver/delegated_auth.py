"""How a server built on Kubernetes' library knows who asks, and what they may.

It reads kube-system/extension-apiserver-authentication: headers are believed of a front proxy whose
certificate is of that authority and whose name is allowed, other certificates are users by
themselves. Tokens are asked about with a TokenReview, permission with a SubjectAccessReview.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from tests.support.raw_api import RawApi

CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
Lines = Sequence[tuple[str, str]]


class NotAuthenticatedError(Exception):
    """The credentials are wrong."""


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    name: str = "system:anonymous"
    groups: tuple[str, ...] = ("system:unauthenticated",)
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)


class DelegatedAuth:
    """Asks `api`, which is a service account's."""

    def __init__(self, api: RawApi) -> None:
        self._api = api
        self._data: dict[str, str] = {}
        self.read()

    def read(self) -> bool:
        """Read the ConfigMap; whether it has changed."""
        answer = self._api.get(CONFIG_MAP)
        assert answer.code == 200, answer.text
        before, self._data = self._data, answer.json["data"]
        return self._data != before

    @property
    def authorities(self) -> str:
        """Whose certificates a connection may show, as PEM."""
        return self._data["client-ca-file"] + self._data["requestheader-client-ca-file"]

    def caller(self, certificate: bytes | None, lines: Lines) -> Caller:
        """Who asks, by a verified certificate in DER and by the headers, in lower case."""
        shown = x509.load_der_x509_certificate(certificate) if certificate else None
        if shown is not None and self._is_of(shown, "requestheader-client-ca-file"):
            found = self._named(shown, lines)
            if found is not None:
                return found
        if shown is not None and self._is_of(shown, "client-ca-file"):
            return Caller(_names(shown, NameOID.COMMON_NAME)[0], _organizations(shown))
        token = dict(lines).get("authorization", "").removeprefix("Bearer ")
        return self._bearer(token) if token else Caller()

    def may(self, caller: Caller, attributes: dict[str, str]) -> bool:
        """Whether the cluster lets the caller do that."""
        spec: dict[str, Any] = {"user": caller.name, "groups": list(caller.groups)}
        spec |= {"uid": caller.uid, "extra": caller.extra, "resourceAttributes": attributes}
        answer = self._api.post(ACCESS_REVIEWS, {"spec": spec})
        assert answer.code == 201, answer.text
        return answer.json["status"]["allowed"] is True

    def _is_of(self, certificate: x509.Certificate, key: str) -> bool:
        for authority in x509.load_pem_x509_certificates(self._data[key].encode()):
            try:
                certificate.verify_directly_issued_by(authority)
            except (ValueError, TypeError, InvalidSignature):
                continue
            return True
        return False

    def _list(self, key: str) -> list[str]:
        return [one.lower() for one in json.loads(self._data[key])]

    def _named(self, proxy: x509.Certificate, lines: Lines) -> Caller | None:
        """For whom a front proxy asks; None when it does not say."""
        (name,) = _names(proxy, NameOID.COMMON_NAME)
        if name not in json.loads(self._data["requestheader-allowed-names"]):
            raise NotAuthenticatedError(f"x509: subject with cn={name} is not in the allowed list")
        users = _values(lines, self._list("requestheader-username-headers"))
        if not users:
            return None
        uids = _values(lines, self._list("requestheader-uid-headers"))
        groups = _values(lines, self._list("requestheader-group-headers"))
        return Caller(users[0], tuple(groups), "".join(uids[:1]), self._extra(lines))

    def _extra(self, lines: Lines) -> dict[str, list[str]]:
        extra: dict[str, list[str]] = {}
        for prefix in self._list("requestheader-extra-headers-prefix"):
            for name, value in lines:
                if name.startswith(prefix):
                    extra.setdefault(unquote(name.removeprefix(prefix)), []).append(value)
        return extra

    def _bearer(self, token: str) -> Caller:
        answer = self._api.post(TOKEN_REVIEWS, {"spec": {"token": token}})
        assert answer.code == 201, answer.text
        status = answer.json["status"]
        if not status.get("authenticated"):
            raise NotAuthenticatedError("invalid bearer token")
        user = status["user"]
        extra = user.get("extra") or {}
        return Caller(user["username"], tuple(user.get("groups") or ()), user.get("uid", ""), extra)


def _values(lines: Lines, names: list[str]) -> list[str]:
    return [value for wanted in names for name, value in lines if name == wanted]


def _names(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(one.value) for one in certificate.subject.get_attributes_for_oid(oid)]


def _organizations(certificate: x509.Certificate) -> tuple[str, ...]:
    return (*_names(certificate, NameOID.ORGANIZATION_NAME), "system:authenticated")
