"""What the health endpoints ask: the store, the caches, the first objects."""

import asyncio
from collections.abc import Mapping

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.http.health import Check, Health
from control_plane.apiserver.storage.collections import Collections

STORE_SECONDS = 2.0
# upstream's names for what is done when every cache has been loaded
CACHE_HOOKS = ("generic-apiserver-start-informers", "storage-object-count-tracker-hook")
REGISTRATION = "kube-apiserver-autoregistration"


def health_endpoints(
    etcd: EtcdClient,
    root: str,
    collections: Collections,
    hooks: Mapping[str, asyncio.Event],
    stopping: asyncio.Event,
) -> tuple[Health, ...]:
    """healthz, livez and readyz; `hooks` are what has to be done once, by upstream's names.

    A server that is `stopping` is alive, but not ready.
    """

    async def ping() -> str:
        return ""

    async def store() -> str:
        try:
            await etcd.current_revision(f"{root}/health".encode(), STORE_SECONDS)
        except StoreError as error:
            return f"the datastore does not answer: {error}"
        return ""

    async def informer_sync() -> str:
        late = [c.resource.plural for c in collections if not c.cache.clock.is_set]
        return f"not synced: {', '.join(late)}" if late else ""

    async def shutdown() -> str:
        return "process is shutting down" if stopping.is_set() else ""

    def hook(done: asyncio.Event) -> Check:
        async def is_done() -> str:
            return "" if done.is_set() else "not finished"

        return is_done

    alive: dict[str, Check] = {"ping": ping, "log": ping, "etcd": store}
    started: dict[str, Check] = {f"poststarthook/{name}": informer_sync for name in CACHE_HOOKS}
    started |= {f"poststarthook/{name}": hook(done) for name, done in hooks.items()}
    if REGISTRATION in hooks:
        started["autoregister-completion"] = hook(hooks[REGISTRATION])
    ready: dict[str, Check] = {"etcd-readiness": store, "informer-sync": informer_sync}
    return (
        Health("healthz", {**alive, **started}),
        Health("livez", {**alive, **started}),
        Health("readyz", {**alive, **ready, **started, "shutdown": shutdown}),
    )
