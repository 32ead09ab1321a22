"""Admission webhooks: servers that are asked about writes, over HTTPS.

    hook, registered    configurations, compiled when they change
    matches             whether a webhook is asked: ../matching, then conditions
    caller              the call; answer says what has come of it
    mutating            one after the other; patching takes their patches in
    validating          all at once

With no configuration a write costs a look at an empty tuple.
"""

from collections.abc import Callable, Iterable

from prometheus_client.core import Metric

from control_plane.api.resources import (
    MUTATINGWEBHOOKCONFIGURATIONS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
from control_plane.apiserver.admission.matching import is_configuring
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.webhooks.caller import WebhookCaller
from control_plane.apiserver.admission.webhooks.matches import Matches
from control_plane.apiserver.admission.webhooks.metrics import WebhookCounts
from control_plane.apiserver.admission.webhooks.mutating import MutatingWebhooks, Mutation
from control_plane.apiserver.admission.webhooks.registered import RegisteredHooks
from control_plane.apiserver.admission.webhooks.validating import ValidatingWebhooks
from control_plane.apiserver.admission_configuration.settings import AdmissionSettings
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.service_endpoints import ServiceEndpoints
from control_plane.apiserver.storage.collections import Collections


class Webhooks:
    """All webhooks of the cluster."""

    def __init__(
        self, collections: Collections, authorizer: Authorizer, settings: AdmissionSettings
    ) -> None:
        """Follow the configurations; conditions may ask `authorizer`."""
        self._mutates = "MutatingAdmissionWebhook" in settings.plugins
        self._validates = "ValidatingAdmissionWebhook" in settings.plugins
        matches = Matches(collections, authorizer)
        self._counts = WebhookCounts()
        self._caller = WebhookCaller(ServiceEndpoints(collections))
        self._mutating = RegisteredHooks(
            collections, MUTATINGWEBHOOKCONFIGURATIONS, settings.mutating_webhooks
        )
        self._validating = RegisteredHooks(
            collections, VALIDATINGWEBHOOKCONFIGURATIONS, settings.validating_webhooks
        )
        self._mutation = MutatingWebhooks(matches, self._caller, self._counts)
        self._validation = ValidatingWebhooks(matches, self._caller, self._counts)

    def mutation(self, review: Review) -> Mutation | None:
        """What webhooks do to this object; None when there are none that may."""
        hooks = self._mutating.hooks if self._mutates else ()
        if not hooks or is_configuring(review):
            return None
        return self._mutation.mutation(hooks, review)

    async def check(self, review: Review) -> None:
        """Let webhooks refuse the object."""
        hooks = self._validating.hooks if self._validates else ()
        if hooks and not is_configuring(review):
            await self._validation.run(hooks, review)

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        return self._counts.look()

    async def close(self) -> None:
        """Close the connections."""
        await self._caller.close()
