"""PodSecurity: pods are as harmless as their namespace's labels want them to be.

What a namespace enforces is refused, what it warns about is a warning, what it audits goes into
the audit event; templates of pods are only warned about, since it is the pods that count. A
namespace that comes to enforce more is told about the pods that it has. Source: v1.35
pod-security-admission.
"""

import asyncio

import orjson

from control_plane.api.errors import Invalid
from control_plane.api.field_error import aggregate
from control_plane.api.objects import Object, labels_of, name_of
from control_plane.api.pod_security.configuration import PodSecurityConfiguration
from control_plane.api.pod_security.evaluation import (
    detail_of,
    reasons_of,
    violations,
)
from control_plane.api.pod_security.policy import PREFIX, PRIVILEGED, Policy, Standard, policy_of
from control_plane.api.pod_security.subjects import (
    IGNORED_SUBRESOURCES,
    TEMPLATES,
    is_significant,
    pod_of,
    template_of,
    unlike_first,
)
from control_plane.api.pod_security.violation import Pod
from control_plane.api.pod_security.warning import pod_warnings
from control_plane.api.resources import NAMESPACES, PODS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.admission_configuration.settings import AdmissionSettings
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed
from control_plane.apiserver.storage.selection import Selection

MOST_PODS = 3000
MOST_SECONDS = 1.0
PODS_AT_ONCE = 20  # are checked before others have their turn on the event loop


class PodSecurity(Plugin):
    """Checks pods, templates of pods, and the labels of namespaces."""

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow what namespaces want."""
        super().__init__(collections, authorizer)
        self._configuration = PodSecurityConfiguration()
        self._policies: Followed[Policy] = Followed(collections, NAMESPACES, self._policy_of)

    def configure(self, settings: AdmissionSettings) -> None:
        """Take the defaults and exemptions."""
        self._configuration = settings.pod_security

    def _policy_of(self, namespace: Object) -> Policy:
        return policy_of(labels_of(namespace), self._configuration.defaults)

    async def check(self, review: Review) -> None:
        """Refuse or warn."""
        if review.operation not in (Operation.CREATE, Operation.UPDATE):
            return
        if review.resource == PODS:
            await self._check_pod(review)
        elif review.resource == NAMESPACES:
            await self._check_namespace(review)
        elif (review.resource.group, review.resource.plural) in TEMPLATES:
            await self._check_template(review)

    async def _check_pod(self, review: Review) -> None:
        if review.subresource in IGNORED_SUBRESOURCES:
            return
        policy = await self._policy(review)
        if policy.forbids_nothing:
            return
        if review.old is not None and not is_significant(review.obj, review.old):
            return
        pod = pod_of(review.obj)
        if self._is_exempt(review, pod):
            return
        found = violations(policy.enforce, pod)
        review.call.annotate(f"{PREFIX}enforce-policy", str(policy.enforce))
        _audit(review, policy, pod)
        if found:
            raise review.forbidden(f'violates PodSecurity "{policy.enforce}": {detail_of(found)}')
        _warn(review, policy.warn, pod)

    async def _check_template(self, review: Review) -> None:
        if review.subresource:
            return
        policy = await self._policy(review)
        if policy.warns_of_nothing:
            return
        pod = template_of(review.resource.group, review.resource.plural, review.obj)
        if pod is not None and not self._is_exempt(review, pod):
            _audit(review, policy, pod)
            _warn(review, policy.warn, pod)

    def _is_exempt(self, review: Review, pod: Pod) -> bool:
        runtime_class = pod.spec.get("runtimeClassName") or ""
        by = self._configuration.exemption(review.namespace, review.call.user.name, runtime_class)
        if by:
            review.call.annotate(f"{PREFIX}exempt", by)
        return bool(by)

    async def _policy(self, review: Review) -> Policy:
        policy = self._policies.get("", review.namespace)
        if policy is not None:
            return policy
        namespace = await self.collections.live(NAMESPACES, "", review.namespace)
        return self._policy_of(namespace or {})

    async def _check_namespace(self, review: Review) -> None:
        if review.subresource:
            return
        new = self._policy_of(review.obj)
        old = self._policy_of(review.old) if review.old is not None else None
        if new.errors and (old is None or new.errors != old.errors):
            raise Invalid.of(NAMESPACES, name_of(review.obj), list(new.errors))
        is_exempt = review.name in self._configuration.namespaces
        if old is not None and not _is_tighter(new.enforce, old.enforce):
            return
        if is_exempt:
            text = self._configuration.warning(review.name, new, labels_of(review.obj))
            if text:
                review.call.warn(text)
        if old is None or is_exempt:
            return
        for text in await self._warnings_of_pods(name_of(review.obj), new.enforce):
            review.call.warn(text)

    async def _warnings_of_pods(self, namespace: str, enforce: Standard) -> list[str]:
        """What the pods that exist have against what is about to be enforced."""
        entries = self.collections.of(PODS).cache.select(Selection(namespace=namespace))
        pods: list[Object] = [orjson.loads(entry.item) for entry in entries[:MOST_PODS]]
        clock = asyncio.get_running_loop().time
        deadline = clock() + MOST_SECONDS
        found: list[tuple[str, str]] = []
        checked = 0
        for checked, pod in enumerate(unlike_first(pods), 1):
            found.append((name_of(pod), reasons_of(violations(enforce, pod_of(pod)))))
            if checked % PODS_AT_ONCE == 0:
                await asyncio.sleep(0)
            if clock() > deadline:
                break
        return pod_warnings(namespace, str(enforce), found, (checked, len(entries)))


def _is_tighter(new: Standard, old: Standard) -> bool:
    """Whether pods that were let in may not be any more."""
    if new == old or new.level == PRIVILEGED:
        return False
    return new.minor != old.minor or new.strictness > old.strictness


def _audit(review: Review, policy: Policy, pod: Pod) -> None:
    if policy.errors:
        text = f"Failed to parse policy: {aggregate(policy.errors)}"
        review.call.annotate(f"{PREFIX}error", text)
    found = violations(policy.audit, pod)
    if found:
        text = f'would violate PodSecurity "{policy.audit}": {detail_of(found)}'
        review.call.annotate(f"{PREFIX}audit-violations", text)


def _warn(review: Review, standard: Standard, pod: Pod) -> None:
    found = violations(standard, pod)
    if found:
        review.call.warn(f'would violate PodSecurity "{standard}": {detail_of(found)}')
