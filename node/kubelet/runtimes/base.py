"""The narrow waist between the kubelet and whatever runs containers.

A `Runtime` knows sandboxes, containers and images; it knows nothing of pods' specs, volumes,
probes or restart policy. Everything it is told is in `SandboxConfig` and `ContainerConfig`,
everything it tells is in `PodRecord`: plain values, so that the deciding code never sees an
engine. What is needed to adopt a container after a restart of the kubelet (pod, name, attempt,
hash) is kept by the runtime itself, never in the kubelet's memory.

Called by the pod workers, the streaming server and housekeeping; implemented by the rows of
`runtimes.RUNTIMES`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from control_plane.streams.wire import SocketWire

ContainerPhase = Literal["created", "running", "exited", "unknown"]
STDOUT, STDERR = 1, 2


class RuntimeFailure(Exception):
    """The runtime refused or failed; the text is the engine's own message."""


class RuntimeNotFound(RuntimeFailure):
    """The sandbox, container or image is not (or no longer) there."""


class RuntimeUnavailable(RuntimeFailure):
    """Nothing answers at the runtime's endpoint."""


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """Which pod a sandbox or container belongs to."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class PortBinding:
    """One host port: protocol is lower case, host_ip "" means every address."""

    container_port: int
    host_port: int
    protocol: str = "tcp"
    host_ip: str = ""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """What holds a pod's namespaces while its containers come and go."""

    pod: PodIdentity
    attempt: int
    hostname: str
    labels: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False
    host_ipc: bool = False
    host_pid: bool = False
    privileged: bool = False
    ports: Sequence[PortBinding] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mount:
    """One bind mount; propagation is private, rslave or rshared."""

    source: str
    target: str
    read_only: bool = False
    propagation: str = "rprivate"


@dataclass(frozen=True, slots=True)
class CgroupLimits:
    """cpu_quota is microseconds per cpu_period; 0 means no limit, memory in bytes."""

    cpu_shares: int = 2
    cpu_quota: int = 0
    cpu_period: int = 100_000
    memory_bytes: int = 0
    oom_score_adj: int = 0


@dataclass(frozen=True, slots=True)
class Privileges:
    """What a container's processes are and may do; `user` is "uid[:gid]" or "" for the image's."""

    user: str = ""
    groups: Sequence[str] = ()
    privileged: bool = False
    read_only_root: bool = False
    capabilities_add: Sequence[str] = ()
    capabilities_drop: Sequence[str] = ()
    options: Sequence[str] = ()
    unmasked_proc: bool = False


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """One container in a sandbox. `pid` is "" (own), "sandbox", "host" or a container id."""

    pod: PodIdentity
    name: str
    attempt: int
    sandbox_id: str
    image: str
    command: Sequence[str] | None = None
    args: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    mounts: Sequence[Mount] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    limits: CgroupLimits = CgroupLimits()
    privileges: Privileges = Privileges()
    host_network: bool = False
    host_ipc: bool = False
    pid: str = ""


@dataclass(frozen=True, slots=True)
class SandboxRecord:
    """A sandbox as the runtime sees it; `ip` is "" on the host's network or when not running."""

    id: str
    attempt: int
    running: bool
    ip: str = ""
    host_network: bool = False
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """A container as the runtime sees it. Times are RFC 3339 UTC, "" when unset.

    `annotations` are those of its ContainerConfig, `mounts` maps targets to sources, `limits` are
    those of now (None where the runtime did not look).
    """

    id: str
    name: str
    attempt: int
    phase: ContainerPhase
    image: str = ""
    image_id: str = ""
    created_at: str = ""
    started_at: str = ""
    finished_at: str = ""
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    tty: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)
    limits: CgroupLimits | None = None


@dataclass(frozen=True, slots=True)
class PodRecord:
    """All sandboxes and containers of one pod, newest first in both."""

    pod: PodIdentity
    sandboxes: Sequence[SandboxRecord] = ()
    containers: Sequence[ContainerRecord] = ()

    def newest(self, name: str) -> ContainerRecord | None:
        """Return the newest container called `name`."""
        return next((c for c in self.containers if c.name == name), None)

    def ready_sandbox(self) -> SandboxRecord | None:
        """Return the newest sandbox if it runs."""
        newest = self.sandboxes[0] if self.sandboxes else None
        return newest if newest is not None and newest.running else None


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image on the node; `user` is its configured user ("" is root)."""

    id: str
    tags: Sequence[str] = ()
    digests: Sequence[str] = ()
    size_bytes: int = 0
    user: str = ""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which log lines: tail < 0 means all, since is Unix seconds ("" or 0 means from the start)."""

    follow: bool = False
    tail: int = -1
    since: float = 0
    timestamps: bool = False


@dataclass(frozen=True, slots=True)
class ExecRequest:
    """A command to run in a running container."""

    command: Sequence[str]
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False


class ProcessStream(Protocol):
    """The two ends of an executing or attached process. Close it always."""

    async def read(self) -> tuple[int, bytes] | None:
        """Return (STDOUT | STDERR, data), or None when all output ended."""

    async def write(self, data: bytes) -> None:
        """Send `data` to standard input."""

    async def close_stdin(self) -> None:
        """Let the process read end of file."""

    async def resize(self, width: int, height: int) -> None:
        """Tell the terminal its size; a process that ended is not an error."""

    async def exit_code(self) -> int | None:
        """Return the exit code once output ended; None for an attachment."""

    async def hang_up(self) -> None:
        """Tell a command that nobody is there any more; a container's main process goes on."""

    async def close(self) -> None:
        """Let go of the stream."""


class Runtime(Protocol):
    """Runs sandboxes and containers. Every method but `changes` may raise RuntimeFailure."""

    name: str
    simulates: bool

    async def open(self) -> None:
        """Connect; RuntimeUnavailable when nothing answers."""

    async def close(self) -> None:
        """Disconnect; containers go on."""

    async def version(self) -> str:
        """Return nodeInfo.containerRuntimeVersion; doubles as the health check."""

    async def list_pods(self) -> Mapping[str, PodRecord]:
        """Return every pod by uid; cheap: exit codes, times and mounts may be missing."""

    async def pod_record(self, pod: PodIdentity) -> PodRecord:
        """Return one pod in full; an empty record when nothing of it is there."""

    async def create_sandbox(self, config: SandboxConfig) -> str:
        """Create and start a sandbox; return its id."""

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """End a sandbox and wait for it; one that is gone is no error."""

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Remove a sandbox; one that is gone is no error."""

    async def create_container(self, config: ContainerConfig) -> str:
        """Create a container without starting it; return its id."""

    async def start(self, container_id: str) -> None:
        """Start a created container."""

    async def update(self, container_id: str, limits: CgroupLimits) -> None:
        """Give a running container other limits of cpu and memory; its OOM score stays."""

    async def stop(self, container_id: str, grace_seconds: int) -> None:
        """Stop a container and wait for it; one that is gone is no error."""

    async def remove(self, container_id: str) -> None:
        """Remove a container; one that is gone is no error."""

    async def find_image(self, reference: str) -> ImageRecord | None:
        """Return the local image a reference names, or None."""

    async def pull_image(self, reference: str, credentials: Mapping[str, str] | None) -> None:
        """Fetch an image from its registry."""

    async def list_images(self) -> Sequence[ImageRecord]:
        """Return all local images."""

    def logs(self, container_id: str, query: LogQuery) -> AsyncGenerator[bytes, None]:
        """Yield what the container wrote, both streams as they came; close it when done."""

    async def exec(self, container_id: str, request: ExecRequest) -> ProcessStream:
        """Start a command in a running container."""

    async def attach(self, container_id: str, request: ExecRequest) -> ProcessStream:
        """Attach to the main process; `command` is ignored."""

    async def connect(self, sandbox_id: str, port: int) -> SocketWire:
        """Connect to a TCP port of the pod's own localhost."""

    def changes(self) -> AsyncGenerator[str, None]:
        """Yield the uid of a pod whenever something of it changed; ends when the link breaks."""
