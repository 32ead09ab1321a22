"""Two informers over one API server: the official Python client's, and the components' own.

What each holds is compared as a dict from namespace/name to resourceVersion and data.
"""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

from kubernetes import client as typed_client
from kubernetes import config as typed_config
from kubernetes import informer as typed_informer

from control_plane.api.resources import CONFIGMAPS
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.informer import Informer

# Half of the package is untyped and every field may be None: its types say nothing here.
client: Any = typed_client
config: Any = typed_config
informer: Any = typed_informer

Held = dict[str, tuple[str, str]]
READY_SECONDS = 60.0


class OfficialFollower:
    """SharedInformer of the official client, in a thread of its own; `stop` ends it."""

    def __init__(self, kubeconfig: Path, selector: str) -> None:
        self._api = config.new_client_from_config(str(kubeconfig))
        self._core = client.CoreV1Api(self._api)
        self._informer = informer.SharedInformer(
            self._core.list_config_map_for_all_namespaces, label_selector=selector or None
        )
        self.relists = 0
        self._informer.add_event_handler("ERROR", self._note)
        self._informer.start()

    def _note(self, error: object) -> None:
        self.relists += getattr(error, "status", 0) == 410

    def held(self) -> Held:
        """What the informer's cache has."""
        return {
            f"{one.metadata.namespace}/{one.metadata.name}": (
                one.metadata.resource_version,
                _text(one.data),
            )
            for one in self._informer.cache.list()
        }

    def stop(self) -> None:
        """Ask it to end; its watch lasts as long as the server."""
        threading.Thread(target=self._informer.stop, daemon=True).start()


class OwnFollower:
    """The informer of the components, on an event loop in a thread; `stop` ends it."""

    def __init__(self, kubeconfig: Path, selector: str) -> None:
        self._kubeconfig, self._selector = kubeconfig, selector
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._started.wait(READY_SECONDS)

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        async with ApiClient(ClientConfig.from_kubeconfig(self._kubeconfig)) as api:
            self._informer = Informer(api, CONFIGMAPS, label_selector=self._selector)
            self._started.set()
            try:
                await self._informer.run()
            except asyncio.CancelledError:
                return

    def held(self) -> Held:
        """What the informer's store has."""
        return asyncio.run_coroutine_threadsafe(self._held(), self._loop).result(READY_SECONDS)

    async def _held(self) -> Held:
        return {key_of(one): version_and_data(one) for one in self._informer.list()}

    def stop(self) -> None:
        """End it and its thread."""
        assert self._task is not None
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._loop.close()


def key_of(obj: dict[str, Any]) -> str:
    """namespace/name."""
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def version_and_data(obj: dict[str, Any]) -> tuple[str, str]:
    """What of an object is compared."""
    return obj["metadata"]["resourceVersion"], _text(obj.get("data"))


def _text(data: object) -> str:
    return json.dumps(data or {}, sort_keys=True)
