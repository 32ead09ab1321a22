"""Defaults of admission webhooks and policies, and of API services.

Called through the DEFAULTS table. Source: v1.35 admissionregistration/v1 and apiregistration/v1
defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent, part
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

SERVICE_PORT = 443


def default_validating_webhooks(configuration: Object) -> None:
    """Fill one ValidatingWebhookConfiguration in place."""
    for webhook in parts(configuration, "webhooks"):
        _default_webhook(webhook)


def default_mutating_webhooks(configuration: Object) -> None:
    """Fill one MutatingWebhookConfiguration in place."""
    for webhook in parts(configuration, "webhooks"):
        _default_webhook(webhook)
        fill_absent(webhook, "reinvocationPolicy", "Never")


def _default_webhook(webhook: Object) -> None:
    fill_absent(webhook, "failurePolicy", "Fail")
    fill_absent(webhook, "timeoutSeconds", 10)
    _default_matching(webhook, "rules")
    for service in parts(webhook, "clientConfig", "service"):
        fill_absent(service, "port", SERVICE_PORT)


def _default_matching(owner: Object, *rules: str) -> None:
    fill_absent(owner, "matchPolicy", "Equivalent")
    fill_absent(owner, "namespaceSelector", {})
    fill_absent(owner, "objectSelector", {})
    for field in rules:
        for rule in parts(owner, field):
            fill_absent(rule, "scope", "*")


def default_api_service(service: Object) -> None:
    """Fill one APIService in place."""
    for backend in parts(service, "spec", "service"):
        fill_absent(backend, "port", SERVICE_PORT)


def default_policy(policy: Object) -> None:
    """Fill one admission policy, validating or mutating, in place."""
    spec = part(policy, "spec")
    fill_absent(spec, "failurePolicy", "Fail")
    for constraints in parts(spec, "matchConstraints"):
        _default_matching(constraints, "resourceRules", "excludeResourceRules")


def default_policy_binding(binding: Object) -> None:
    """Fill one binding of such a policy in place."""
    for resources in parts(binding, "spec", "matchResources"):
        _default_matching(resources, "resourceRules", "excludeResourceRules")
