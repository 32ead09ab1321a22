"""The `simulated` runtime: pods become Running without containers.

For machines without a container engine, and for tests with thousands of nodes. Everything that
does not need a process is real: sandboxes with addresses, states, attempts, hashes, adoption after
a restart (one small file a pod). What needs a process is refused by name: logs are empty, exec
fails, and probes are not run (they count as passed).

Called through the Runtime protocol.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import threading
import uuid
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from node.kubelet.runtimes.base import (
    CgroupLimits,
    ContainerConfig,
    ContainerRecord,
    ExecRequest,
    ImageRecord,
    LogQuery,
    PodIdentity,
    PodRecord,
    ProcessStream,
    RuntimeFailure,
    RuntimeNotFound,
    SandboxConfig,
    SandboxRecord,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from pathlib import Path

    from control_plane.streams.wire import SocketWire

VERSION = "simulated://1.0"
DEFAULT_SUBNET = "10.88.0.0/16"
_CHANGES = 4096


class SimulatedRuntime:
    """Keeps what real runtimes keep, in memory and in `directory`."""

    name = "simulated"
    simulates = True

    def __init__(self, directory: Path, *, subnet: str = "") -> None:
        self._directory = directory
        self._network = ipaddress.ip_network(subnet or DEFAULT_SUBNET)
        self._pods: dict[str, PodRecord] = {}
        self._owners: dict[str, str] = {}  # sandbox or container id → pod uid
        self._next_address = 2
        self._disk = threading.Lock()
        # Full queue: the oldest change is dropped; the kubelet lists again every few seconds.
        self._changes: asyncio.Queue[str] = asyncio.Queue(_CHANGES)

    async def open(self) -> None:
        """Read back what was there before."""
        self._pods = await asyncio.to_thread(_load, self._directory)
        for uid, record in self._pods.items():
            ids = [s.id for s in record.sandboxes] + [c.id for c in record.containers]
            self._owners |= dict.fromkeys(ids, uid)

    async def close(self) -> None:
        """Nothing to let go of: all state is on disk."""

    async def version(self) -> str:
        """Return simulated://…, which is how a node says that its pods have no containers."""
        return VERSION

    async def list_pods(self) -> Mapping[str, PodRecord]:
        """Return all pods."""
        return dict(self._pods)

    async def pod_record(self, pod: PodIdentity) -> PodRecord:
        """Return one pod."""
        return self._pods.get(pod.uid, PodRecord(pod))

    async def create_sandbox(self, config: SandboxConfig) -> str:
        """Add a sandbox with an address of its own."""
        record = self._pods.get(config.pod.uid, PodRecord(config.pod))
        sandbox = SandboxRecord(
            id=_new_id(),
            attempt=config.attempt,
            running=True,
            ip="" if config.host_network else self._address(),
            host_network=config.host_network,
            created_at=_now(),
        )
        await self._store(replace(record, sandboxes=(sandbox, *record.sandboxes)), sandbox.id)
        return sandbox.id

    async def create_container(self, config: ContainerConfig) -> str:
        """Add a container that has not started."""
        record = self._record_of(config.sandbox_id)
        container = ContainerRecord(
            id=_new_id(),
            name=config.name,
            attempt=config.attempt,
            phase="created",
            image=config.image,
            image_id=f"simulated://{config.image}",
            created_at=_now(),
            tty=config.tty,
            annotations=dict(config.annotations),
            mounts={mount.target: mount.source for mount in config.mounts},
            limits=config.limits,
        )
        containers = (container, *record.containers)
        await self._store(replace(record, containers=containers), container.id)
        return container.id

    async def start(self, container_id: str) -> None:
        """Let a container run."""
        await self._change(container_id, phase="running", started_at=_now())

    async def update(self, container_id: str, limits: CgroupLimits) -> None:
        """Note other limits."""
        await self._change(container_id, limits=limits)

    async def stop(self, container_id: str, grace_seconds: int) -> None:
        """End a container at once."""
        record = self._find(container_id)
        if record is not None:
            containers = [_ended(c) if c.id == container_id else c for c in record.containers]
            await self._store(replace(record, containers=containers))

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """End a sandbox at once."""
        record = self._find(sandbox_id)
        if record is not None:
            sandboxes = [
                replace(s, running=False) if s.id == sandbox_id else s for s in record.sandboxes
            ]
            await self._store(replace(record, sandboxes=sandboxes))

    async def remove(self, container_id: str) -> None:
        """Forget a container."""
        record = self._find(container_id)
        if record is not None:
            del self._owners[container_id]
            containers = [c for c in record.containers if c.id != container_id]
            await self._store(replace(record, containers=containers))

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Forget a sandbox."""
        record = self._find(sandbox_id)
        if record is not None:
            del self._owners[sandbox_id]
            sandboxes = [s for s in record.sandboxes if s.id != sandbox_id]
            await self._store(replace(record, sandboxes=sandboxes))

    async def find_image(self, reference: str) -> ImageRecord | None:
        """Every image is present."""
        return ImageRecord(id=reference, tags=[reference])

    async def pull_image(self, reference: str, credentials: Mapping[str, str] | None) -> None:
        """Every image can be had."""

    async def list_images(self) -> Sequence[ImageRecord]:
        """No image takes room."""
        return []

    async def logs(self, container_id: str, query: LogQuery) -> AsyncGenerator[bytes, None]:
        """Yield nothing: no process, no output."""
        self._record_of(container_id)
        nothing: tuple[bytes, ...] = ()
        for line in nothing:
            yield line

    async def exec(self, container_id: str, request: ExecRequest) -> ProcessStream:
        """Refuse: there is no process."""
        raise RuntimeFailure("this node simulates containers: there is no process to exec in")

    async def attach(self, container_id: str, request: ExecRequest) -> ProcessStream:
        """Refuse: there is no process."""
        raise RuntimeFailure("this node simulates containers: there is no process to attach to")

    async def connect(self, sandbox_id: str, port: int) -> SocketWire:
        """Refuse: nothing listens."""
        raise RuntimeFailure("this node simulates containers: there is no process to connect to")

    async def changes(self) -> AsyncGenerator[str, None]:
        """Yield the uid of each pod that changed."""
        while True:
            yield await self._changes.get()

    async def _change(self, container_id: str, **changes: Any) -> None:
        record = self._record_of(container_id)
        containers = [
            replace(c, **changes) if c.id == container_id else c for c in record.containers
        ]
        await self._store(replace(record, containers=containers))

    async def _store(self, record: PodRecord, new_id: str = "") -> None:
        uid = record.pod.uid
        if new_id:
            self._owners[new_id] = uid
        if record.sandboxes or record.containers:
            self._pods[uid] = record
        else:
            self._pods.pop(uid, None)
        await asyncio.to_thread(self._save, uid)
        if self._changes.full():
            self._changes.get_nowait()
        self._changes.put_nowait(uid)

    def _save(self, uid: str) -> None:
        """Bring a pod's file in line with memory; called in a thread.

        Writers take turns, and each writes what is newest then: the last one cannot write less.
        """
        path = self._directory / f"{uid}.json"
        with self._disk:
            record = self._pods.get(uid)
            if record is None:
                path.unlink(missing_ok=True)
            else:
                _write(path, orjson.dumps(asdict(record)))

    def _find(self, member_id: str) -> PodRecord | None:
        uid = self._owners.get(member_id)
        return None if uid is None else self._pods[uid]

    def _record_of(self, member_id: str) -> PodRecord:
        record = self._find(member_id)
        if record is None:
            raise RuntimeNotFound(f"No such container: {member_id}")
        return record

    def _address(self) -> str:
        used = {s.ip for record in self._pods.values() for s in record.sandboxes if s.running}
        for _ in range(self._network.num_addresses):
            candidate = str(self._network[self._next_address])
            self._next_address = max(
                2, (self._next_address + 1) % (self._network.num_addresses - 1)
            )
            if candidate not in used:
                return candidate
        raise RuntimeFailure(f"no address is free in {self._network}")


def _ended(container: ContainerRecord) -> ContainerRecord:
    if container.phase != "running":
        return container
    return replace(container, phase="exited", finished_at=_now(), exit_code=0, reason="Completed")


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _new_id() -> str:
    return uuid.uuid4().hex + secrets.token_hex(16)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _load(directory: Path) -> dict[str, PodRecord]:
    pods = {}
    for path in directory.glob("*.json"):
        try:
            document = orjson.loads(path.read_bytes())
        except FileNotFoundError:  # another who uses the directory has just removed the pod
            continue
        pod = PodIdentity(**document["pod"])
        pods[pod.uid] = PodRecord(
            pod,
            [SandboxRecord(**sandbox) for sandbox in document["sandboxes"]],
            [_container(container) for container in document["containers"]],
        )
    return pods


def _container(kept: Mapping[str, Any]) -> ContainerRecord:
    limits = kept.get("limits")
    return ContainerRecord(**{**kept, "limits": CgroupLimits(**limits) if limits else None})
