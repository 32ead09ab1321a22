"""The `docker` runtime: sandboxes and containers on a Docker Engine (API 1.41 or newer).

All state is in the engine: containers carry labels that say which pod, container and attempt they
are, and which kubelet (by its root directory) owns them. Pods get their addresses from a bridge
network of our own, so that pods reach each other by pod IP and the node reaches every pod.

Called through the Runtime protocol. Pure halves: docker_config.py (what is asked) and
docker_records.py (what is told).
"""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiodocker
import orjson

from node.kubelet.runtimes.base import (
    CgroupLimits,
    ContainerConfig,
    ExecRequest,
    ImageRecord,
    LogQuery,
    PodIdentity,
    PodRecord,
    ProcessStream,
    RuntimeFailure,
    RuntimeNotFound,
    SandboxConfig,
)
from node.kubelet.runtimes.docker_config import (
    IMAGE_ID_LABEL,
    IMAGE_LABEL,
    OWNER_LABEL,
    POD_UID_LABEL,
    EngineSettings,
    container_document,
    engine_name,
    limits_document,
    sandbox_document,
)
from node.kubelet.runtimes.docker_process import AttachedProcess, ExecutedProcess
from node.kubelet.runtimes.docker_records import (
    address_of,
    image_record,
    pod_from_inspections,
    pods_from_list,
)
from node.kubelet.runtimes.docker_setup import ensure_network, ensure_sandbox_image
from node.kubelet.runtimes.engine import CALL_SECONDS, Engine, engine_errors
from node.kubelet.runtimes.hijack import demultiplex, hijack
from node.kubelet.runtimes.network_namespace import (
    connect_to,
    connect_within,
    is_process_of,
)
from node.kubelet.runtimes.network_turns import NetworkTurns
from node.kubelet.runtimes.oom_floor import oom_score_floor
from node.kubelet.runtimes.pause_image import PAUSE_IMAGE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence

    from control_plane.streams.wire import SocketWire

log = logging.getLogger(__name__)

_EVENTS = ["create", "start", "die", "destroy", "oom"]


class DockerRuntime:
    """Runs pods on one engine. `owner` is the kubelet's root directory, `network` a bridge
    network's name.
    """

    name = "docker"
    simulates = False

    def __init__(
        self, endpoint: str, *, owner: str, network: str, subnet: str = "", sandbox_image: str = ""
    ) -> None:
        self._engine = Engine(endpoint)
        self._subnet = subnet
        self._own_sandbox_image = not sandbox_image
        image = sandbox_image or PAUSE_IMAGE
        self._settings = EngineSettings(owner, network, image, oom_score_floor())
        self._turns = NetworkTurns("")

    async def open(self) -> None:
        """Connect, and see to it that the pod network and the sandbox image exist."""
        version = await self._engine.open()
        self._turns = NetworkTurns(str(version.get("Version")))
        try:
            await ensure_network(self._engine, self._settings, self._subnet)
            if self._own_sandbox_image:
                await ensure_sandbox_image(self._engine, self._settings.sandbox_image)
        except BaseException:
            await self._engine.close()
            raise

    async def close(self) -> None:
        """Disconnect; containers go on."""
        await self._engine.close()

    async def version(self) -> str:
        """Return docker://<version>."""
        return f"docker://{(await self._engine.version())['Version']}"

    async def list_pods(self) -> Mapping[str, PodRecord]:
        """List this kubelet's containers, grouped by pod."""
        return pods_from_list(await self._list(()))

    async def pod_record(self, pod: PodIdentity) -> PodRecord:
        """Inspect all containers of one pod at once."""
        items = await self._list((f"{POD_UID_LABEL}={pod.uid}",))
        documents = await asyncio.gather(*(self._inspect(str(item["Id"])) for item in items))
        return pod_from_inspections(pod, [d for d in documents if d is not None])

    async def create_sandbox(self, config: SandboxConfig) -> str:
        """Create and start the sandbox; a failed start leaves nothing behind."""
        document = sandbox_document(config, self._settings)
        name = engine_name(config.pod, "POD", config.attempt)
        sandbox_id = await self._create(document, name)
        try:
            async with self._turns.one():
                await self.start(sandbox_id)
        except RuntimeFailure:
            await self.remove_sandbox(sandbox_id)
            raise
        return sandbox_id

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """Kill the sandbox's process; returns when it has left its network."""
        async with self._turns.one():
            await self.stop(sandbox_id, 0)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Remove the sandbox, killing it if it still runs."""
        async with self._turns.one():
            await self.remove(sandbox_id)

    async def create_container(self, config: ContainerConfig) -> str:
        """Create the container, keeping under which name its image was known."""
        image = await self.find_image(config.image)
        document = container_document(config, self._settings)
        if image is not None:
            document["Image"] = image.id
            document["Labels"][IMAGE_LABEL] = image.tags[0] if image.tags else config.image
            document["Labels"][IMAGE_ID_LABEL] = _image_id(image)
        return await self._create(document, engine_name(config.pod, config.name, config.attempt))

    async def start(self, container_id: str) -> None:
        """Start; the engine's message on failure is also kept in the container's state."""
        async with engine_errors():
            await self._engine.docker.containers.container(container_id).start()

    async def update(self, container_id: str, limits: CgroupLimits) -> None:
        """Change the cgroup of a running container."""
        path, document = f"containers/{container_id}/update", limits_document(limits)
        async with engine_errors(), self._engine.request("POST", path, document=document):
            return

    async def stop(self, container_id: str, grace_seconds: int) -> None:
        """Send the stop signal, SIGKILL after the grace; returns when it ended."""
        async with engine_errors(grace_seconds + CALL_SECONDS):
            with _gone_is_fine():
                container = self._engine.docker.containers.container(container_id)
                await container.stop(t=grace_seconds)

    async def remove(self, container_id: str) -> None:
        """Remove with anonymous volumes, killing what still runs."""
        async with engine_errors():
            with _gone_is_fine():
                container = self._engine.docker.containers.container(container_id)
                await container.delete(force=True, v=True)

    async def find_image(self, reference: str) -> ImageRecord | None:
        """Inspect an image by name or id."""
        async with engine_errors():
            try:
                return image_record(await self._engine.docker.images.inspect(reference))
            except aiodocker.DockerError as error:
                if error.status == 404:
                    return None
                raise

    async def pull_image(self, reference: str, credentials: Mapping[str, str] | None) -> None:
        """Pull; takes as long as it takes, cancel to give up."""
        auth = None
        if credentials is not None:
            auth = base64.urlsafe_b64encode(orjson.dumps(dict(credentials))).decode()
        async with engine_errors(None):
            await self._engine.docker.images.pull(reference, auth=auth)

    async def list_images(self) -> Sequence[ImageRecord]:
        """Return all tagged or digested images of the engine."""
        async with engine_errors():
            documents = await self._engine.docker.images.list()
        return [image_record(document) for document in documents]

    async def logs(self, container_id: str, query: LogQuery) -> AsyncGenerator[bytes, None]:
        """Stream the engine's log; ends with the container when following."""
        params = {
            "stdout": "1",
            "stderr": "1",
            "follow": str(int(query.follow)),
            "timestamps": str(int(query.timestamps)),
            "tail": "all" if query.tail < 0 else str(query.tail),
        }
        if query.since:
            params["since"] = f"{query.since:.9f}"
        document = await self._inspect(container_id)
        tty = bool(document and document["Config"]["Tty"])
        path = f"containers/{container_id}/logs"
        async with (
            engine_errors(None),
            self._engine.request("GET", path, params=params) as response,
        ):
            chunks = response.content.iter_any()
            async for data in chunks if tty else demultiplex(chunks):
                yield data

    async def exec(self, container_id: str, request: ExecRequest) -> ProcessStream:
        """Start a command in the container and take its streams over."""
        async with engine_errors():
            container = self._engine.docker.containers.container(container_id)
            instance = await container.exec(
                list(request.command),
                stdin=request.stdin,
                stdout=request.stdout,
                stderr=request.stderr and not request.tty,
                tty=request.tty,
            )
            path = f"/{self._engine.docker.api_version}/exec/{instance.id}/start"
            body = {"Detach": False, "Tty": request.tty}
            stream = await hijack(self._engine.endpoint, path, body, tty=request.tty)
        return ExecutedProcess(instance, stream)

    async def attach(self, container_id: str, request: ExecRequest) -> ProcessStream:
        """Attach to the container's main process from now on."""
        async with engine_errors():
            query = "&".join(
                f"{key}={int(value)}"
                for key, value in (
                    ("stream", True),
                    ("stdin", request.stdin),
                    ("stdout", request.stdout),
                    ("stderr", request.stderr and not request.tty),
                )
            )
            path = f"/{self._engine.docker.api_version}/containers/{container_id}/attach?{query}"
            stream = await hijack(self._engine.endpoint, path, {}, tty=request.tty)
            container = self._engine.docker.containers.container(container_id)
        # To one that has ended the engine attaches as well, and waits for its next start.
        document = await self._inspect(container_id)
        if document is None or not document["State"]["Running"]:
            await stream.close()
            raise RuntimeFailure(f"container not running ({container_id})")
        return AttachedProcess(container, stream)

    async def connect(self, sandbox_id: str, port: int) -> SocketWire:
        """Connect within the sandbox's network, or to its address where that is closed to us."""
        document = await self._inspect(sandbox_id)
        if document is None:
            raise RuntimeNotFound(f"No such container: {sandbox_id}")
        pid = int(document["State"].get("Pid") or 0)
        if is_process_of(pid, sandbox_id):
            with suppress(OSError):
                return await connect_within(pid, port)
        return await connect_to(address_of(document) or "localhost", port)

    async def changes(self) -> AsyncGenerator[str, None]:
        """Follow the engine's events about our containers."""
        filters = {"type": ["container"], "event": _EVENTS, "label": [self._own_label()]}
        params = {"filters": orjson.dumps(filters).decode()}
        async with (
            engine_errors(None),
            self._engine.request("GET", "events", params=params) as response,
        ):
            async for line in response.content:
                attributes = orjson.loads(line).get("Actor", {}).get("Attributes", {})
                if uid := attributes.get(POD_UID_LABEL):
                    yield uid

    def _own_label(self) -> str:
        return f"{OWNER_LABEL}={self._settings.owner}"

    async def _list(self, labels: Sequence[str]) -> list[dict[str, Any]]:
        filters = {"label": [self._own_label(), *labels]}
        params = {"all": "1", "filters": orjson.dumps(filters).decode()}
        async with (
            engine_errors(),
            self._engine.request("GET", "containers/json", params=params) as response,
        ):
            items: list[dict[str, Any]] = orjson.loads(await response.read())
        return items

    async def _inspect(self, container_id: str) -> dict[str, Any] | None:
        async with engine_errors():
            try:
                return await self._engine.docker.containers.container(container_id).show()
            except aiodocker.DockerError as error:
                if error.status == 404:
                    return None
                raise

    async def _create(self, document: dict[str, Any], name: str) -> str:
        async with engine_errors():
            containers = self._engine.docker.containers
            try:
                return (await containers.create(document, name=name)).id
            except aiodocker.DockerError as error:
                if error.status != 409:
                    raise
            # The name is held by a container of an earlier try that could not be removed yet.
            return (await containers.create(document, name=f"{name}_{secrets.token_hex(4)}")).id


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Swallow the engine's 404 (no such container) and 409 (removal already in progress)."""
    try:
        yield
    except aiodocker.DockerError as error:
        if error.status not in (404, 409):
            raise


def _image_id(image: ImageRecord) -> str:
    return f"docker-pullable://{image.digests[0]}" if image.digests else f"docker://{image.id}"
