"""The scheduler's settings, and the flags they are read from."""

import argparse
import socket
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from control_plane.client.flags import boolean
from control_plane.scheduler.framework.pod_info import DEFAULT_SCHEDULER
from control_plane.scheduler.queued_pod import INITIAL_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS


class ConfigError(Exception):
    """A setting cannot be used; str() is one line that names it and the remedy."""


def _identity() -> str:
    return f"{socket.gethostname()}_{uuid.uuid4()}"


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """Settings of one scheduler process.

    Only pods whose spec.schedulerName equals `scheduler_name` are scheduled. `percentage_of_nodes`
    is how many of the nodes must be found feasible before the search for one pod ends; 0 adapts it
    to the size of the cluster. With `leader_elect` only the holder of the lease
    kube-system/kube-scheduler schedules.
    """

    kubeconfig: Path
    scheduler_name: str = DEFAULT_SCHEDULER
    leader_elect: bool = True
    percentage_of_nodes: int = 0
    initial_backoff_seconds: float = INITIAL_BACKOFF_SECONDS
    max_backoff_seconds: float = MAX_BACKOFF_SECONDS
    identity: str = field(default_factory=_identity)

    def __post_init__(self) -> None:
        """Refuse values that make no sense. ConfigError."""
        if not self.scheduler_name:
            raise ConfigError("--scheduler-name is empty: give the name pods ask for")
        if not 0 <= self.percentage_of_nodes <= 100:
            raise ConfigError(
                f"--percentage-of-nodes-to-score {self.percentage_of_nodes}: give 0 to 100"
            )
        if not 0 < self.initial_backoff_seconds <= self.max_backoff_seconds:
            raise ConfigError(
                "--pod-initial-backoff-seconds must be above 0 and not above "
                f"--pod-max-backoff-seconds ({self.initial_backoff_seconds:g} and "
                f"{self.max_backoff_seconds:g} given)"
            )


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the scheduler's flags."""
    parser.add_argument(
        "--kubeconfig", type=Path, required=True, help="how to reach the API server"
    )
    parser.add_argument(
        "--scheduler-name",
        default=DEFAULT_SCHEDULER,
        help="schedule the pods with this spec.schedulerName (default %(default)s)",
    )
    parser.add_argument(
        "--leader-elect",
        nargs="?",
        type=boolean,
        const=True,
        default=True,
        metavar="true|false",
        help="schedule only while holding the lease kube-system/kube-scheduler",
    )
    parser.add_argument(
        "--percentage-of-nodes-to-score",
        type=int,
        default=0,
        metavar="N",
        help="end the search once this share of the nodes fits; 0 adapts it to their number",
    )
    parser.add_argument(
        "--pod-initial-backoff-seconds",
        type=float,
        default=INITIAL_BACKOFF_SECONDS,
        metavar="SECONDS",
        help="wait after a pod's first failed attempt (default %(default)s)",
    )
    parser.add_argument(
        "--pod-max-backoff-seconds",
        type=float,
        default=MAX_BACKOFF_SECONDS,
        metavar="SECONDS",
        help="longest wait between two attempts (default %(default)s)",
    )


def from_args(args: argparse.Namespace) -> SchedulerConfig:
    """Build the configuration from parsed flags. ConfigError on a value that cannot be used."""
    return SchedulerConfig(
        kubeconfig=args.kubeconfig,
        scheduler_name=args.scheduler_name,
        leader_elect=args.leader_elect,
        percentage_of_nodes=args.percentage_of_nodes_to_score,
        initial_backoff_seconds=args.pod_initial_backoff_seconds,
        max_backoff_seconds=args.pod_max_backoff_seconds,
    )
