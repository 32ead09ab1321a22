"""The resourcequota controller: a quota's status says what it allows and what is used of it.

Admission charges quotas as objects are written; this controller writes status.hard, and recounts
when something is deleted or uses less. It reads the quota first, then counts what the API server
has at that moment or later, and writes only if the quota is still as it was read, and nothing is
charged that is not stored yet. So every object that a charge was made for before is counted, a
charge made meanwhile makes the write fail, and a quota never shows less than is used. Source:
kubernetes pkg/controller/resourcequota.
"""

from collections.abc import Callable, Iterable

from control_plane.api.errors import Conflict, NotFound
from control_plane.api.objects import Object, dig, key_of, namespace_of, split_key
from control_plane.api.quota.amounts import ONE, shown, thousandths
from control_plane.api.quota.countables import COUNTABLES, Countable, countable
from control_plane.api.quota.scopes import attributes_classes, is_terminating, scopes_of
from control_plane.api.quota.tally import usage_of
from control_plane.api.resources import RESOURCEQUOTAS, Resource
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.discovery import deletable_namespaced
from control_plane.controllers.runtime import DONE, Controller, Loop, Result
from control_plane.controllers.sources import Change, Watches

ATTEMPTS = 5
UNWATCHED_SECONDS = 30.0  # between counts of custom resources, which are not watched here


def resource_quota(config: ControllersConfig) -> Controller:
    """Return the controller of quotas."""
    rows = [row for row in deletable_namespaced() if countable(row.group, row.plural)]
    return Controller(
        "resourcequota-controller",
        "resourcequota-controller",
        reconcile,
        sources=(
            Watches(RESOURCEQUOTAS, changed_quota),
            *(Watches(row, replenished(row)) for row in rows),
        ),
        loops=(Loop(config.resource_quota_sync_period, enqueue_all),),
        workers=config.concurrent_resource_quota_syncs,
    )


def changed_quota(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return the quota if it is new, or what it allows has changed."""
    del cluster
    if change.event == "delete":
        return
    if change.old is None or change.old.get("spec") != change.latest.get("spec"):
        yield key_of(change.latest)


def replenished(resource: Resource) -> Callable[[Cluster, Change], Iterable[str]]:
    """Return the function that says which quotas a change of an object may set free."""
    row = countable(resource.group, resource.plural)
    assert row is not None
    watches_updates = (resource.group, resource.plural) in COUNTABLES

    def quotas(cluster: Cluster, change: Change) -> Iterable[str]:
        if change.event == "add" or (change.event == "update" and not watches_updates):
            return
        counting = [
            quota
            for quota in cluster.list(RESOURCEQUOTAS, namespace_of(change.latest))
            if row.names(dig(quota, "spec", "hard", default={}))
        ]
        if counting and _may_use_less(row, change, cluster):
            yield from map(key_of, counting)

    return quotas


def _may_use_less(row: Countable, change: Change, cluster: Cluster) -> bool:
    if change.old is None or change.new is None:
        return True
    now = cluster.now()
    return any(
        of(change.old) != of(change.new)
        for of in (lambda obj: row.usage(obj, now), is_terminating, attributes_classes)
    )


async def enqueue_all(cluster: Cluster) -> None:
    """Have every quota counted anew."""
    for quota in cluster.list(RESOURCEQUOTAS):
        cluster.queue.add(key_of(quota))


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Write what quota `key` allows and what is used of it."""
    for _ in range(ATTEMPTS):
        try:
            return await _count(key, cluster)
        except Conflict:
            continue  # charged, or changed, while it was counted
    return await _count(key, cluster)


async def _count(key: str, cluster: Cluster) -> Result:
    namespace, name = split_key(key)
    named = f"metadata.name={name}"
    listing = await cluster.client.list(RESOURCEQUOTAS, namespace, field_selector=named)
    if not listing["items"]:
        return DONE
    quota = listing["items"][0]
    hard = dig(quota, "spec", "hard", default={})
    computed, is_watched = await _usage(quota, hard, cluster)
    known = dig(quota, "status", "used", default={})
    used = {one: computed.get(one, known.get(one)) for one in hard}
    status = {"hard": hard, "used": {one: n for one, n in used.items() if n is not None}}
    if not _same(status, quota.get("status") or {}):
        new = {**quota, "status": status}
        await cluster.client.update(RESOURCEQUOTAS, new, subresource="status")
    return DONE if is_watched else Result(UNWATCHED_SECONDS)


async def _usage(quota: Object, hard: Object, cluster: Cluster) -> tuple[dict[str, str], bool]:
    """Return what is used of what can be counted, and whether all of it is watched."""
    used: dict[str, str] = {}
    is_watched = True
    scopes, namespace = scopes_of(quota), namespace_of(quota)
    rows, custom = counted_resources(hard)
    for group, plural in custom:
        resource = await _discovered(cluster, group, plural)
        is_watched = False
        if resource is not None:
            rows.append(resource)
    for resource in rows:
        row = countable(resource.group, resource.plural)
        if row is None:
            continue
        if row.is_count:
            amount = 0 if scopes else await _number(cluster, resource, namespace) * ONE
            used |= dict.fromkeys(row.names(hard), shown(amount, is_binary=False))
        else:
            listing = await cluster.client.list(resource, namespace)
            used |= usage_of(row, hard, scopes, listing["items"], cluster.now())
    return used, is_watched


def counted_resources(hard: Iterable[str]) -> tuple[list[Resource], list[tuple[str, str]]]:
    """Return the built-in resources that a quota counts, and (group, plural) of the others."""
    names = list(hard)
    rows: list[Resource] = []
    known: set[str] = set()
    for resource in deletable_namespaced():
        row = countable(resource.group, resource.plural)
        found = row.names(names) if row is not None else []
        if found:
            rows.append(resource)
            known.update(found)
    others = (
        name.removeprefix("count/") for name in names if name not in known and "count/" in name
    )
    split = (name.partition(".") for name in others)
    return rows, [(group, plural) for plural, dot, group in split if dot]


async def _discovered(cluster: Cluster, group: str, plural: str) -> Resource | None:
    """Return a custom resource in the version that its group prefers; None if it is not served."""
    try:
        found = await cluster.client.request("GET", f"/apis/{group}")
        version = found["preferredVersion"]["version"]
        listed = await cluster.client.request("GET", f"/apis/{group}/{version}")
    except NotFound:
        return None
    kinds = {one["name"]: one for one in listed["resources"] if one.get("namespaced")}
    served = kinds.get(plural)
    return Resource(group, version, served["kind"], plural, True) if served else None


async def _number(cluster: Cluster, resource: Resource, namespace: str) -> int:
    """Return how many objects there are, without reading more than one."""
    listing = await cluster.client.list(resource, namespace, limit=1)
    remaining: int = dig(listing, "metadata", "remainingItemCount", default=0)
    return len(listing["items"]) + remaining


def _same(one: Object, other: Object) -> bool:
    """Tell whether two statuses say the same, however the amounts are written."""
    return all(_amounts(one.get(field)) == _amounts(other.get(field)) for field in ("hard", "used"))


def _amounts(resources: Object | None) -> dict[str, int] | None:
    if resources is None:
        return None
    return {name: thousandths(amount) for name, amount in resources.items()}
