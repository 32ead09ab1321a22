"""One webhook, compiled from its configuration when that changes."""

import dataclasses
import functools
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.api.cel.admission import condition_environment
from control_plane.api.go_url import read_url
from control_plane.api.objects import Object, name_of
from control_plane.api.policies.conditions import Conditions
from control_plane.apiserver.admission.matching import Criteria
from control_plane.apiserver.admission_configuration.credentials import HTTPS, Credentials
from control_plane.apiserver.ca_bundle import trusting
from control_plane.client.config import ClientConfig

VERSIONS = ("v1", "v1beta1")
DRY = frozenset({"None", "NoneOnDryRun"})


@dataclass(frozen=True)
class Hook:
    """A webhook of a configuration; `uid` tells it from all others.

    `url` is whom to call, `identity` as whom (None: nobody in particular), `version` how to speak
    ("" for none that is known here).
    """

    uid: str
    configuration: str
    name: str
    criteria: Criteria
    conditions: Conditions
    url: str
    identity: ClientConfig | None
    ca_bundle: str
    version: str
    timeout_seconds: int
    fails_open: bool
    has_side_effects: bool
    may_be_reinvoked: bool

    @functools.cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom to trust, and what to show; ValueError for a caBundle that is no certificate."""
        identity = self.identity
        if identity is None or not identity.certificate_pem:
            return trusting(self.ca_bundle) if self.ca_bundle else _system()
        context = trusting(self.ca_bundle) if self.ca_bundle else ssl.create_default_context()
        identity.show_certificate(context)
        return context


@functools.cache
def _system() -> ssl.SSLContext:
    return ssl.create_default_context()


def hooks_of(configuration: Object, credentials: Credentials) -> Iterator[Hook]:
    """The webhooks of a MutatingWebhookConfiguration or a ValidatingWebhookConfiguration.

    ValueError for one that cannot be used.
    """
    seen: dict[str, int] = {}
    for webhook in configuration.get("webhooks") or ():
        name = webhook.get("name") or ""
        count = seen[name] = seen.get(name, -1) + 1
        hook = _hook(name_of(configuration), name, count, webhook)
        yield dataclasses.replace(hook, identity=_identity(hook.url, credentials))


def _identity(url: str, credentials: Credentials) -> ClientConfig | None:
    try:
        parts = read_url(url)
    except ValueError:
        # nobody is called at what is no URL: whoever asks is told so, as the failure policy says
        return None
    return credentials.for_host(parts.hostname, int(parts.port or HTTPS))


def _hook(configuration: str, name: str, count: int, webhook: Mapping[str, Any]) -> Hook:
    client = webhook.get("clientConfig") or {}
    reviews = webhook.get("admissionReviewVersions") or ()
    return Hook(
        uid=f"{configuration}/{name}/{count}",
        configuration=configuration,
        name=name,
        criteria=Criteria.of(dict(webhook)),
        conditions=Conditions.of(webhook.get("matchConditions"), condition_environment()),
        url=client.get("url") or _service_url(client.get("service") or {}),
        identity=None,
        ca_bundle=client.get("caBundle") or "",
        version=next((version for version in reviews if version in VERSIONS), ""),
        timeout_seconds=webhook.get("timeoutSeconds") or 10,
        fails_open=webhook.get("failurePolicy") == "Ignore",
        has_side_effects=webhook.get("sideEffects") not in DRY,
        may_be_reinvoked=webhook.get("reinvocationPolicy") == "IfNeeded",
    )


def _service_url(service: Mapping[str, Any]) -> str:
    host = f"{service.get('name')}.{service.get('namespace')}.svc"
    path = "/" + (service.get("path") or "").strip("/")
    return f"https://{host}:{service.get('port') or 443}{path}"
