"""What waits in a server, by its metrics: etcd tells no more of it over gRPC."""

from __future__ import annotations

import ssl
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import URLError

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FETCH_SECONDS = 10
MOST_BYTES = 16 << 20
REVISION = "etcd_debugging_mvcc_current_revision"


class NoMetrics(Exception):
    """A server's metrics cannot be had; the message says why."""


class Lag(NamedTuple):
    """Watchers, and those that are behind; events that wait to be sent; writes that wait.

    `revisions` is how many revisions of the store the server's watchers have not been offered.
    """

    watchers: int
    slow: int
    events: int
    writes: int
    revisions: int


NAMES = {
    "watchers": "etcd_debugging_mvcc_watcher_total",
    "slow": "etcd_debugging_mvcc_slow_watcher_total",
    "events": "etcd_debugging_mvcc_pending_events_total",
    "writes": "etcd_server_proposals_pending",
}


def read_lag(url: str, cacert: Path | None, revision: int) -> Lag:
    """Read it from `url`/metrics of a server that has answered with `revision`; NoMetrics."""
    try:
        text = _fetch(f"{url.rstrip('/')}/metrics", cacert)
        values = {
            sample.name: int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name in {*NAMES.values(), REVISION}
        }
        return _lag(values, revision)
    except KeyError as error:
        name = error.args[0]
        raise NoMetrics(f"{url} does not tell {name}: name the server's metrics URL") from error
    except (OSError, HTTPException, ValueError) as error:
        why = error.reason if isinstance(error, URLError) else error
        raise NoMetrics(f"{url}: {why}") from error


def _lag(values: Mapping[str, int], revision: int) -> Lag:
    counts = {field: values[name] for field, name in NAMES.items()}
    return Lag(**counts, revisions=max(0, revision - values[REVISION]))


def _fetch(url: str, cacert: Path | None) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("write http://host:port")
    context = ssl.create_default_context(cafile=cacert) if url.startswith("https") else None
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS, context=context) as answer:
        return str(answer.read(MOST_BYTES).decode())
