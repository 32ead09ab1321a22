"""Validating webhooks: all at once, on the object as it is about to be stored.

Source: the dispatcher of validating webhooks of apiserver v1.35.
"""

import asyncio
import logging
from time import perf_counter

from control_plane.api.errors import ApiError, InternalError
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.webhooks.answer import denial
from control_plane.apiserver.admission.webhooks.caller import CallError, WebhookCaller
from control_plane.apiserver.admission.webhooks.hook import Hook
from control_plane.apiserver.admission.webhooks.matches import Matches
from control_plane.apiserver.admission.webhooks.metrics import WebhookCounts
from control_plane.apiserver.latency import reach_latency

TYPE = "validating"
FAILED_OPEN = "failed-open.validating.webhook.admission.k8s.io/"

logger = logging.getLogger(__name__)


class ValidatingWebhooks:
    """Lets webhooks refuse an object."""

    def __init__(self, matches: Matches, caller: WebhookCaller, counts: WebhookCounts) -> None:
        """Call by `caller` those that match, count in `counts`."""
        self._matches = matches
        self._caller = caller
        self._counts = counts

    async def run(self, hooks: tuple[Hook, ...], review: Review) -> None:
        """Ask those that are meant; when all have answered, the first refusal is raised."""
        relevant: list[tuple[Hook, Resource]] = []
        for hook in hooks:
            seen_as = await self._matches.seen_by(hook, review)
            if seen_as is not None:
                relevant.append((hook, seen_as))
        refusals: list[ApiError] = []
        async with asyncio.TaskGroup() as group:
            for index, (hook, seen_as) in enumerate(relevant):
                group.create_task(self._ask(index, hook, review, seen_as, refusals))
        for other in refusals[1:]:
            logger.info("refused by another webhook, too: %s", other.message)
        if refusals:
            raise refusals[0]

    async def _ask(
        self,
        index: int,
        hook: Hook,
        review: Review,
        seen_as: Resource,
        refusals: list[ApiError],
    ) -> None:
        begun, operation = perf_counter(), review.operation.value
        code, failure = 200, ""
        refusal: ApiError | None = None
        try:
            await self._answered(hook, review, seen_as)
        except CallError as error:
            code, failure = error.code, "calling_webhook_error"
            refusal = self._failed(index, hook, review, error)
        except ApiError as error:
            code, failure, refusal = error.code, "no_error", error
        seconds = perf_counter() - begun
        reach_latency("validating-webhook", seconds)
        is_rejected = refusal is not None
        self._counts.called(hook.name, TYPE, operation, code, seconds, is_rejected)
        if refusal is not None:
            self._counts.rejected(hook.name, TYPE, operation, failure, code)
            refusals.append(refusal)

    async def _answered(self, hook: Hook, review: Review, seen_as: Resource) -> None:
        verdict = await self._caller.ask(hook, review, seen_as, is_mutating=False)
        for key, value in verdict.annotations.items():
            review.call.annotate(f"{hook.name}/{key}", value)
        for warning in verdict.warnings:
            review.call.warn(warning)
        if not verdict.is_allowed:
            raise denial(hook.name, verdict.result)

    def _failed(
        self, index: int, hook: Hook, review: Review, error: CallError
    ) -> InternalError | None:
        """The refusal of a webhook that fails closed."""
        if not hook.fails_open:
            logger.warning("webhook failed closed: %s", error)
            return InternalError.of(error)
        logger.warning("webhook failed open: %s", error)
        self._counts.failed_open(hook.name, TYPE)
        review.call.annotate(f"{FAILED_OPEN}round_0_index_{index}", hook.name)
        return None
