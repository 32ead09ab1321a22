"""What the health endpoints ask: the store, the caches, the first objects."""

from control_plane.apiserver.bootstrap import Bootstrap
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.http.health import Check, Health
from control_plane.apiserver.storage.collections import Collections

STORE_SECONDS = 2.0


def health_endpoints(
    etcd: EtcdClient, root: str, collections: Collections, bootstrap: Bootstrap
) -> tuple[Health, ...]:
    """healthz, livez and readyz."""

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

    async def first_objects() -> str:
        return "" if bootstrap.done.is_set() else "not finished"

    alive: dict[str, Check] = {"ping": ping, "log": ping, "etcd": store}
    started: dict[str, Check] = {
        "poststarthook/start-system-namespaces-controller": first_objects,
        "poststarthook/bootstrap-controller": first_objects,
    }
    ready: dict[str, Check] = {"etcd-readiness": store, "informer-sync": informer_sync}
    return (
        Health("healthz", {**alive, **started}),
        Health("livez", {**alive, **started}),
        Health("readyz", {**alive, **ready, **started}),
    )
