"""The API server's flags of the audit log, upstream's names and defaults.

Both backends have the flags of batches and of truncation, with their own prefix and defaults.
"""

import argparse
import datetime
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_plane.apiserver.audit.auditor import Auditor, Backend
from control_plane.apiserver.audit.backends import (
    BatchBackend,
    Batching,
    DirectBackend,
    Target,
    Truncation,
)
from control_plane.apiserver.audit.counts import AuditCounts
from control_plane.apiserver.audit.log_file import NO_ROTATION, LogFile, Rotation
from control_plane.apiserver.audit.policy import Policy
from control_plane.apiserver.audit.policy_file import PolicyError, read_policy
from control_plane.apiserver.audit.webhook import Webhook
from control_plane.client.config import ClientConfig
from control_plane.client.config import ConfigError as KubeconfigError
from control_plane.client.flags import boolean

POLICY_FLAG, LOG, WEBHOOK = "--audit-policy-file", "--audit-log", "--audit-webhook"
MODES = ("batch", "blocking", "blocking-strict")
VERSION = "audit.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How events reach a backend; `batching` None: one by one, with the request."""

    batching: Batching | None
    is_strict: bool
    truncation: Truncation

    def backend(self, target: Target, counts: AuditCounts) -> Backend:
        """A backend that delivers to `target`, and counts what it loses."""
        if self.batching is None:
            return DirectBackend(target, self.truncation, is_strict=self.is_strict)
        return BatchBackend(target, self.truncation, self.batching, counts.lost)


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What is recorded, and where to: a log file ("" for none), a webhook's kubeconfig, or both."""

    policy: Path
    log_path: str = ""
    rotation: Rotation = NO_ROTATION
    log: Delivery = Delivery(None, is_strict=False, truncation=Truncation())
    webhook: Path | None = None
    webhook_backoff_seconds: float = 10.0
    webhook_delivery: Delivery = Delivery(
        Batching(10_000, 400, 30.0, 10.0, 15), is_strict=False, truncation=Truncation()
    )

    def read(self) -> Policy:
        """Return the policy; raises ValueError of one line that names the file."""
        try:
            policy = read_policy(self.policy)
            if self.webhook is not None:
                ClientConfig.from_kubeconfig(self.webhook).ssl_context()
        except OSError as error:
            text = f"{error.strerror}: give a file that can be read"
            raise ValueError(f"{POLICY_FLAG} {self.policy}: {text}") from error
        except PolicyError as error:
            raise ValueError(f"{POLICY_FLAG} {self.policy}: {error}") from error
        except KubeconfigError as error:
            raise ValueError(f"{WEBHOOK}-config-file: {error}") from error
        return policy


def add_audit_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    add(
        POLICY_FLAG, default="", metavar="FILE", help="Policy: which requests are recorded, and how"
    )
    add(f"{LOG}-path", default="", metavar="FILE", help="record to this file; -: standard output")
    whole = functools.partial(add, type=int, default=0, metavar="N")
    whole(f"{LOG}-maxage", help="days that old files are kept; 0: for ever")
    whole(f"{LOG}-maxbackup", help="old files that are kept; 0: all")
    whole(f"{LOG}-maxsize", help="megabytes at which a new file is begun; 0: 100")
    add(f"{LOG}-compress", **_BOOLEAN, help="old files are packed with gzip")
    add(f"{LOG}-format", default="json", choices=("json",), help="legacy is not supported")
    _add_delivery_flags(parser, LOG, "blocking", Batching(10_000, 1, 0.0))
    add(f"{WEBHOOK}-config-file", default="", metavar="FILE", help="kubeconfig: record to a server")
    add(
        f"{WEBHOOK}-initial-backoff",
        type=_seconds,
        default=10.0,
        metavar="DURATION",
        help="before the first repetition of a batch that was not taken",
    )
    _add_delivery_flags(parser, WEBHOOK, "batch", Batching(10_000, 400, 30.0, 10.0, 15))


_BOOLEAN: Mapping[str, Any] = {
    "nargs": "?",
    "type": boolean,
    "const": True,
    "default": False,
    "metavar": "true|false",
}


def _add_delivery_flags(
    parser: argparse.ArgumentParser, prefix: str, mode: str, batching: Batching
) -> None:
    add = parser.add_argument
    add(
        f"{prefix}-mode",
        default=mode,
        choices=MODES,
        help="batch: beside the requests; blocking: with them; blocking-strict: or not at all",
    )
    whole = functools.partial(add, type=int, metavar="N")
    size = batching.buffer_size
    whole(f"{prefix}-batch-buffer-size", default=size, help="events that wait; more are lost")
    whole(f"{prefix}-batch-max-size", default=batching.max_size, help="events in a batch")
    add(
        f"{prefix}-batch-max-wait",
        type=_seconds,
        default=batching.max_wait_seconds,
        metavar="DURATION",
        help="how long a batch waits to become full",
    )
    throttles = {**_BOOLEAN, "default": batching.rate is not None}
    add(f"{prefix}-batch-throttle-enable", **throttles, help="whether the next two flags count")
    rate = batching.rate or 0.0
    add(
        f"{prefix}-batch-throttle-qps",
        type=float,
        default=rate,
        metavar="N",
        help="batches a second",
    )
    burst = batching.burst if batching.rate is not None else 0
    whole(
        f"{prefix}-batch-throttle-burst", default=burst, help="batches at once, if few came before"
    )
    add(f"{prefix}-truncate-enabled", **_BOOLEAN, help="cut down events that are too large")
    sizes = Truncation()
    whole(
        f"{prefix}-truncate-max-event-size", default=sizes.max_event_bytes, help="bytes of an event"
    )
    whole(
        f"{prefix}-truncate-max-batch-size", default=sizes.max_batch_bytes, help="bytes of a batch"
    )
    add(f"{prefix}-version", default=VERSION, choices=(VERSION,), help="of the events")


def audit_options(args: argparse.Namespace) -> AuditOptions | None:
    """Read parsed flags; None where nothing is to be recorded. Raises ValueError."""
    webhook = args.audit_webhook_config_file
    has_backend = bool(args.audit_log_path or webhook)
    if bool(args.audit_policy_file) != has_backend:
        raise ValueError(
            f"{POLICY_FLAG} and one of {LOG}-path and {WEBHOOK}-config-file go together: "
            "without the other nothing would be recorded"
        )
    if not has_backend:
        return None
    rotation = Rotation(
        args.audit_log_maxsize,
        args.audit_log_maxage,
        args.audit_log_maxbackup,
        args.audit_log_compress,
    )
    if min(rotation.max_megabytes, rotation.max_days, rotation.max_backups) < 0:
        raise ValueError(f"{LOG}-maxsize, -maxage and -maxbackup: give numbers of at least 0")
    return AuditOptions(
        Path(args.audit_policy_file),
        args.audit_log_path,
        rotation,
        _delivery(args, LOG),
        Path(webhook) if webhook else None,
        args.audit_webhook_initial_backoff,
        _delivery(args, WEBHOOK),
    )


def _delivery(args: argparse.Namespace, prefix: str) -> Delivery:
    values = vars(args)
    start = prefix.lstrip("-").replace("-", "_")

    def given(name: str) -> Any:
        return values[f"{start}_{name}"]

    truncation = Truncation(
        given("truncate_enabled"),
        given("truncate_max_event_size"),
        given("truncate_max_batch_size"),
    )
    mode = given("mode")
    if mode != "batch":
        return Delivery(None, mode == "blocking-strict", truncation)
    rate = given("batch_throttle_qps") if given("batch_throttle_enable") else None
    batching = Batching(
        given("batch_buffer_size"),
        given("batch_max_size"),
        given("batch_max_wait"),
        rate,
        given("batch_throttle_burst"),
    )
    if min(batching.buffer_size, batching.max_size) < 1:
        raise ValueError(f"{prefix}-batch-buffer-size and -batch-max-size: give at least 1")
    if rate is not None and (rate <= 0 or batching.burst < 1):
        raise ValueError(f"{prefix}-batch-throttle-qps and -burst: give more than 0")
    return Delivery(batching, is_strict=False, truncation=truncation)


def _seconds(text: str) -> float:
    """A duration such as 10s, 1m or 500ms; a number alone is seconds."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "": 1.0}
    number = text.rstrip("hms")
    unit = text[len(number) :]
    try:
        return float(number) * units[unit]
    except (ValueError, KeyError):
        raise argparse.ArgumentTypeError(f"{text!r}: give a duration such as 10s") from None


def auditor_of(
    options: AuditOptions | None, clock: Callable[[], datetime.datetime]
) -> Auditor | None:
    """The auditor that is asked for; raises ValueError of one line that names what cannot be."""
    if options is None:
        return None
    policy, backends, counts = options.read(), [], AuditCounts()
    if options.log_path:
        try:
            file = LogFile(options.log_path, options.rotation, clock)
        except OSError as error:
            text = f"{error.strerror}: give a file that can be written"
            raise ValueError(f"{LOG}-path {options.log_path}: {text}") from error
        backends.append(options.log.backend(file, counts))
    if options.webhook is not None:
        config = ClientConfig.from_kubeconfig(options.webhook)
        webhook = Webhook(config, options.webhook_backoff_seconds)
        backends.append(options.webhook_delivery.backend(webhook, counts))
    return Auditor(policy, backends, clock, counts)
