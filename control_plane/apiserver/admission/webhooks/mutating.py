"""Mutating webhooks: one after the other, each on what the one before has made of the object.

When something has changed the object, those before it that ask for it are called once more, after
the plugins of this server (the second pass). Source: the dispatcher of mutating webhooks and the
reinvocation context of apiserver v1.35.
"""

import logging
from time import perf_counter

from control_plane.api.errors import ApiError, InternalError
from control_plane.api.go_syntax import quote, to_json
from control_plane.api.objects import Object, deep_copy
from control_plane.api.patch import json_patch
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.admission_request import converted, shown
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission.webhooks.answer import Verdict, denial
from control_plane.apiserver.admission.webhooks.caller import CallError, WebhookCaller
from control_plane.apiserver.admission.webhooks.hook import Hook
from control_plane.apiserver.admission.webhooks.matches import Matches
from control_plane.apiserver.admission.webhooks.metrics import WebhookCounts
from control_plane.apiserver.admission.webhooks.patching import patched
from control_plane.apiserver.latency import add_latency

TYPE = "admit"
MUTATED = "mutation.webhook.admission.k8s.io/"
PATCHED = "patch.webhook.admission.k8s.io/"
FAILED_OPEN = "failed-open.mutation.webhook.admission.k8s.io/"

logger = logging.getLogger(__name__)


class MutatingWebhooks:
    """Lets webhooks change one object after the other."""

    def __init__(self, matches: Matches, caller: WebhookCaller, counts: WebhookCounts) -> None:
        """Call by `caller` those that match, count in `counts`."""
        self.matches = matches
        self.caller = caller
        self.counts = counts

    def mutation(self, hooks: tuple[Hook, ...], review: Review) -> "Mutation":
        """What these webhooks do to this object."""
        return Mutation(self, hooks, review)


class Mutation:
    """The calls about one write, in one or two passes.

    `is_wanted_again` says after the first pass whether there is to be a second one.
    """

    def __init__(self, parts: MutatingWebhooks, hooks: tuple[Hook, ...], review: Review) -> None:
        """Nobody has been called yet."""
        self.is_wanted_again = False
        self._parts = parts
        self._hooks = hooks
        self._review = review
        self._round = 0
        self._called: set[str] = set()  # those that may be called again
        self._again: set[str] = set()
        self._output: Object | None = None

    async def run(self) -> None:
        """Do a pass; raises what the client is told."""
        if self._round and self._output != self._review.obj:
            self._call_all_again()
        for index, hook in enumerate(self._hooks):
            seen_as = await self._parts.matches.seen_by(hook, self._review)
            if seen_as is not None and (not self._round or hook.uid in self._again):
                await self._call(index, hook, seen_as)
        self._output = deep_copy(self._review.obj)
        self._round += 1

    def _call_all_again(self) -> None:
        self._again |= self._called
        self._called.clear()

    async def _call(self, index: int, hook: Hook, seen_as: Resource) -> None:
        place = f"round_{self._round}_index_{index}"
        begun, changed, code, failure = perf_counter(), False, 200, ""
        try:
            changed = await self._changed(hook, seen_as, place)
        except CallError as error:
            code, failure = error.code, "calling_webhook_error"
            self._fail(hook, error, place)
        except ApiError as error:
            code, failure = error.code, "no_error"
            raise
        finally:
            is_rejected = bool(failure) and not (
                hook.fails_open and failure == "calling_webhook_error"
            )
            seconds = perf_counter() - begun
            add_latency("mutating-webhook", seconds)
            operation = self._review.operation.value
            self._parts.counts.called(hook.name, TYPE, operation, code, seconds, is_rejected)
            if is_rejected:
                self._parts.counts.rejected(hook.name, TYPE, operation, failure, code)
        if changed:
            self._call_all_again()
            self.is_wanted_again = True
        if hook.may_be_reinvoked:
            self._called.add(hook.uid)

    async def _changed(self, hook: Hook, seen_as: Resource, place: str) -> bool:
        """Call, and take in what is answered; whether the object is another now."""
        review = self._review
        changed = False
        try:
            verdict = await self._parts.caller.ask(hook, review, seen_as, is_mutating=True)
            _tell(hook, review, verdict)
            if not verdict.is_allowed:
                raise denial(hook.name, verdict.result)
            changed = self._patch(hook, seen_as, verdict, place)
        finally:
            note = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
            review.call.annotate(MUTATED + place, to_json(note))
        return changed

    def _patch(self, hook: Hook, seen_as: Resource, verdict: Verdict, place: str) -> bool:
        operations = _operations(hook, verdict)
        if not operations:
            return False
        review = self._review
        before = shown(review, seen_as)
        if before is None:
            raise InternalError.of(
                f"admission webhook {quote(hook.name)} attempted to modify the object, which is "
                "not supported for this operation"
            )
        after = patched(before, operations, seen_as)
        note = {
            "configuration": hook.configuration,
            "webhook": hook.name,
            "patch": operations,
            "patchType": verdict.patch_type,
        }
        review.call.annotate(PATCHED + place, to_json(note))
        if after == before:
            return False
        content = converted(after, seen_as, review.resource)
        review.obj.clear()
        review.obj.update(content)
        return True

    def _fail(self, hook: Hook, error: CallError, place: str) -> None:
        if not hook.fails_open:
            logger.warning("webhook failed closed: %s", error)
            raise InternalError.of(error) from error
        logger.warning("webhook failed open: %s", error)
        self._parts.counts.failed_open(hook.name, TYPE)
        self._review.call.annotate(FAILED_OPEN + place, hook.name)


def _operations(hook: Hook, verdict: Verdict) -> list[Object]:
    if not verdict.patch:
        return []
    try:
        return json_patch.decode(verdict.patch, is_checked=False)
    except ApiError as error:
        text = f"received undecodable patch in webhook response: {error.message}"
        raise CallError(hook, text, 500) from error


def _tell(hook: Hook, review: Review, verdict: Verdict) -> None:
    for key, value in verdict.annotations.items():
        review.call.annotate(f"{hook.name}/{key}", value)
    for warning in verdict.warnings:
        review.call.warn(warning)
