"""pods/eviction: delete a pod unless a disruption budget counts on it.

What is taken from a budget is written into its status by compare-and-swap before the pod goes, so
that any number of evictions at once stay within it. Source: the eviction storage of Kubernetes
v1.35.
"""

import asyncio
from dataclasses import replace

import orjson

from control_plane.api.disruption_budgets import selects
from control_plane.api.errors import (
    ApiError,
    BadRequest,
    Conflict,
    NotFound,
    ServerTimeout,
    Timeout,
)
from control_plane.api.field_validation import Expected
from control_plane.api.objects import Object, name_of, resource_version_of
from control_plane.api.resources import PODDISRUPTIONBUDGETS, PODS, Resource
from control_plane.apiserver.admission import Operation, Review
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.http.answer import Reply, negotiated_answer
from control_plane.apiserver.http.bodies import read_as_any_of
from control_plane.apiserver.http.list_options import ListOptions
from control_plane.apiserver.http.query import Query
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.http.target import Target
from control_plane.apiserver.http.write_options import call_of, read_delete_options
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions, check_preconditions
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.storage.selection import Selection
from control_plane.apiserver.subresources.disruption import (
    is_beyond_budgets,
    may_change_its_mind,
    may_go_unhealthy,
    still_processed,
    with_disruption,
    with_target_condition,
)

ATTEMPTS = 20
PAUSE_SECONDS = 0.5
EVICTION = Resource("policy", "v1", "Eviction", "evictions", True, verbs=("create",), storage="")
_DEFINITION = "io.k8s.api.policy.v1.Eviction"
_VERSIONS = tuple(
    Expected(version, EVICTION.kind, _DEFINITION) for version in ("policy/v1", "policy/v1beta1")
)
_SERVER = User("system:apiserver", ("system:masters",))
_TOO_MANY = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
    "support."
)


async def create(services: ApiServices, request: Request, target: Target) -> Reply:
    """POST: evict the pod."""
    call = call_of(request, "CreateOptions")
    sent = await read_as_any_of(request, _VERSIONS, call)
    if name_of(sent) != target.name:
        raise BadRequest("name in URL does not match name in Eviction object")
    options = _delete_options(sent, call)
    review = Review(
        PODS, Operation.CREATE, target.namespace, sent, None, call, "eviction", target.name
    )
    await services.registry.admit(review)
    await _Evicting(services, target.namespace, target.name, options, call).run()
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return negotiated_answer({**status, "code": 201}, request, 201)


def _delete_options(sent: Object, call: Call) -> DeleteOptions:
    """The options of the deletion; a dry run may be asked for in either place."""
    options = read_delete_options(Query(b""), sent.get("deleteOptions") or {})
    return replace(options, dry_run=options.dry_run or call.dry_run)


class _Evicting:
    """One eviction under way."""

    def __init__(
        self,
        services: ApiServices,
        namespace: str,
        name: str,
        options: DeleteOptions,
        call: Call,
    ) -> None:
        self._registry = services.registry
        self._reader = services.reader
        self._collections = services.collections
        self._namespace = namespace
        self._name = name
        self._options = options
        self._call = replace(call, dry_run=options.dry_run)

    async def run(self) -> None:
        """Evict; raises what stands against it."""
        pod = await self._gone_or_guarded()
        if pod is None:
            return
        budgets = await self._budgets(pod)
        if len(budgets) > 1:
            raise ApiError(_TOO_MANY, code=500, reason="")
        if not budgets:
            await self._delete(self._options)
        elif may_go_unhealthy(pod, budgets[0]):
            await self._delete_as_it_is(pod, name_of(budgets[0]))
        else:
            await self._take(name_of(budgets[0]))
            await self._delete(self._options)

    async def _gone_or_guarded(self) -> Object | None:
        """Delete a pod beyond budgets, again when it changed meanwhile; return any other."""
        for attempt in range(ATTEMPTS):
            pod = await self._collections.live(PODS, self._namespace, self._name)
            if pod is None:
                raise NotFound.of(PODS, self._name)
            if not is_beyond_budgets(pod):
                return pod
            try:
                await self._delete(
                    self._in_state(pod) if may_change_its_mind(pod) else self._options
                )
            except Conflict:
                if self._options.resource_version or attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return None
        raise AssertionError("the last attempt returns or raises")

    async def _budgets(self, pod: Object) -> list[Object]:
        everything = ListOptions(Selection(namespace=self._namespace))
        listing = await self._reader.list(PODDISRUPTIONBUDGETS, everything)
        budgets = (orjson.loads(entry.item) for entry in listing.entries)
        return [budget for budget in budgets if selects(budget, pod)]

    async def _take(self, budget_name: str) -> None:
        """Take one disruption from the budget; a dry run only asks for it."""

        async def take(budget: Object) -> Object:
            return with_disruption(budget, self._name, self._registry.now())

        call = Call(_SERVER, self._options.dry_run, field_manager="kube-apiserver")
        edit = Edit(PODDISRUPTIONBUDGETS, self._namespace, budget_name, take, "status")
        try:
            await self._registry.update(edit, call)
        except ServerTimeout as error:
            text = f'couldn\'t update PodDisruptionBudget "{budget_name}" due to conflicts'
            raise Timeout.of(text, 10) from error

    async def _delete_as_it_is(self, pod: Object, budget_name: str) -> None:
        """Delete the pod unless it has changed since: it may be ready by now."""
        try:
            await self._delete(self._in_state(pod))
        except Conflict as error:
            if self._options.resource_version:
                raise
            raise still_processed(budget_name) from error

    def _in_state(self, pod: Object) -> DeleteOptions:
        """The options, which concern this state of the pod unless they name another."""
        version = self._options.resource_version or resource_version_of(pod)
        return replace(self._options, resource_version=version)

    async def _delete(self, options: DeleteOptions) -> None:
        """Say why in the pod's status, then delete it."""
        if not options.dry_run:
            marked = await self._mark(options)
            if options.resource_version:
                options = replace(options, resource_version=resource_version_of(marked))
        await self._registry.delete(
            PODS, self._namespace, self._name, options, self._call, is_admitted=True
        )

    async def _mark(self, options: DeleteOptions) -> Object:
        async def mark(pod: Object) -> Object:
            check_preconditions(PODS, pod, options)
            return with_target_condition(pod, self._registry.now())

        edit = Edit(PODS, self._namespace, self._name, mark, "eviction", is_system=True)
        marked, _ = await self._registry.update(edit, self._call)
        return marked
