"""`authorizer`: what the user who asks, or a service account, may do.

    authorizer.group('apps').resource('deployments').namespace('n').check('create').allowed()
    authorizer.path('/healthz').check('get').allowed()

The value of the variable is Authorizer(decide); `decide` is asked once for each question of one
Authorizer. Source: the authorizer library of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from control_plane.api import label_selector
from control_plane.api.cel.functions import member
from control_plane.api.cel.types import BOOL, STRING, opaque
from control_plane.api.cel.values import register

CHECK_COST: Final = 350_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a verb on a path, or on a resource; of a service account, if one is named."""

    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    service_account: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer; an error is of the authorizer's, or of a selector that is none."""

    allowed: bool
    reason: str = ""
    error: str = ""


Decide = Callable[[Question], Verdict]


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Whom questions are about, and who answers them."""

    decide: Decide
    service_account: tuple[str, str] | None = None
    known: dict[Question, Verdict] = field(default_factory=dict)

    def ask(self, question: Question) -> Verdict:
        """Return the answer, which does not change while one request is looked at."""
        if question not in self.known:
            self.known[question] = self.decide(question)
        return self.known[question]


@dataclass(frozen=True, slots=True)
class Check:
    """A question that is not complete yet."""

    authorizer: Authorizer
    question: Question
    selector_error: str = ""


class PathCheck(Check):
    """A question about a path."""


class GroupCheck(Check):
    """A question about a group, before its resource is named."""


class ResourceCheck(Check):
    """A question about a resource."""


def request_resource(authorizer: Authorizer, question: Question) -> ResourceCheck:
    """Return the value of `authorizer.requestResource`."""
    return ResourceCheck(authorizer, question)


def _path(authorizer: Authorizer, path: str) -> PathCheck:
    return PathCheck(authorizer, Question(path=path, service_account=authorizer.service_account))


def _group(authorizer: Authorizer, group: str) -> GroupCheck:
    asked = Question(group=group, service_account=authorizer.service_account)
    return GroupCheck(authorizer, asked)


def _service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    return Authorizer(authorizer.decide, (namespace, name), authorizer.known)


def _resource(check: Check, resource: str) -> ResourceCheck:
    return ResourceCheck(check.authorizer, replace(check.question, resource=resource))


def _subresource(check: Check, subresource: str) -> ResourceCheck:
    asked = replace(check.question, subresource=subresource)
    return ResourceCheck(check.authorizer, asked, check.selector_error)


def _namespace(check: Check, namespace: str) -> ResourceCheck:
    asked = replace(check.question, namespace=namespace)
    return ResourceCheck(check.authorizer, asked, check.selector_error)


def _name(check: Check, name: str) -> ResourceCheck:
    asked = replace(check.question, name=name)
    return ResourceCheck(check.authorizer, asked, check.selector_error)


def _selector(check: Check, selector: str) -> ResourceCheck:
    """Selectors do not decide here: who may do it to some may do it, as if none was given."""
    try:
        label_selector.parse(selector)
    except ValueError as error:
        return ResourceCheck(check.authorizer, check.question, str(error))
    return ResourceCheck(check.authorizer, check.question, check.selector_error)


def _check(check: Check, verb: str) -> Verdict:
    verdict = check.authorizer.ask(replace(check.question, verb=verb))
    return replace(verdict, error=check.selector_error) if check.selector_error else verdict


def _check_cost(_check: Check, _verb: str) -> int:
    return CHECK_COST


AUTHORIZER: Final = opaque("kubernetes.authorization.Authorizer")
PATH_CHECK: Final = opaque("kubernetes.authorization.PathCheck")
GROUP_CHECK: Final = opaque("kubernetes.authorization.GroupCheck")
RESOURCE_CHECK: Final = opaque("kubernetes.authorization.ResourceCheck")
DECISION: Final = opaque("kubernetes.authorization.Decision")

for _class, _type in (
    (Authorizer, AUTHORIZER),
    (PathCheck, PATH_CHECK),
    (GroupCheck, GROUP_CHECK),
    (ResourceCheck, RESOURCE_CHECK),
    (Verdict, DECISION),
):
    register(_class, _type.name)

LIBRARY: Final = (
    member("path", (AUTHORIZER, STRING), PATH_CHECK, _path),
    member("group", (AUTHORIZER, STRING), GROUP_CHECK, _group),
    member("serviceAccount", (AUTHORIZER, STRING, STRING), AUTHORIZER, _service_account),
    member("resource", (GROUP_CHECK, STRING), RESOURCE_CHECK, _resource),
    member("subresource", (RESOURCE_CHECK, STRING), RESOURCE_CHECK, _subresource),
    member("namespace", (RESOURCE_CHECK, STRING), RESOURCE_CHECK, _namespace),
    member("name", (RESOURCE_CHECK, STRING), RESOURCE_CHECK, _name),
    member("fieldSelector", (RESOURCE_CHECK, STRING), RESOURCE_CHECK, _selector),
    member("labelSelector", (RESOURCE_CHECK, STRING), RESOURCE_CHECK, _selector),
    member("check", (PATH_CHECK, STRING), DECISION, _check, _check_cost),
    member("check", (RESOURCE_CHECK, STRING), DECISION, _check, _check_cost),
    member("allowed", (DECISION,), BOOL, lambda verdict: verdict.allowed),
    member("reason", (DECISION,), STRING, lambda verdict: verdict.reason),
    member("errored", (DECISION,), BOOL, lambda verdict: bool(verdict.error)),
    member("error", (DECISION,), STRING, lambda verdict: verdict.error),
)
