"""ServiceCIDRs: finalizer, Ready condition, and when one may go; planned, and for real."""

import datetime
from typing import Any

import pytest

from control_plane.api.objects import finalizers_of, find_condition
from control_plane.api.resources import SERVICECIDRS, SERVICES
from control_plane.controllers import service_cidrs
from control_plane.controllers.service_cidrs import FINALIZER, READY, TERMINATING, Plan, plan
from tests.control_plane.controllers.stage import Stage

Object = dict[str, Any]
NOW = datetime.datetime(2026, 1, 1, 12, 0, 30, tzinfo=datetime.UTC)


def _cidr(
    name: str, *ranges: str, deleted: int | None = None, ready: Object | None = None
) -> Object:
    metadata: Object = {"name": name, "finalizers": [FINALIZER]}
    if deleted is not None:
        metadata["deletionTimestamp"] = f"2026-01-01T12:00:{30 - deleted:02d}Z"
    conditions = [{"type": "Ready", **(ready or READY)}]
    return {
        "metadata": metadata,
        "spec": {"cidrs": list(ranges)},
        "status": {"conditions": conditions},
    }


def _plan(one: Object, *others: Object, addresses: tuple[str, ...] = ()) -> Plan:
    return plan(one, [one, *others], addresses, NOW)


def test_a_new_one_gets_its_finalizer_and_is_ready() -> None:
    new: Object = {"metadata": {"name": "a"}, "spec": {"cidrs": ["10.0.0.0/24"]}}
    assert _plan(new) == Plan([FINALIZER], READY)
    assert _plan(_cidr("a", "10.0.0.0/24")) == Plan()


def test_the_default_ones_message_becomes_everyones() -> None:
    ready = {**READY, "message": "Kubernetes default Service CIDR is ready"}
    assert _plan(_cidr("kubernetes", "10.0.0.0/24", ready=ready)).ready == READY


def test_addresses_hold_the_only_range_around_them() -> None:
    going = _cidr("a", "10.0.0.0/24", deleted=20)
    assert _plan(going, addresses=("10.0.0.7",)) == Plan(ready=TERMINATING)
    assert _plan(going, addresses=("10.0.1.7",)) == Plan([])
    wider = _cidr("b", "10.0.0.0/16")
    assert _plan(going, wider, addresses=("10.0.0.7",)) == Plan([])
    part = _cidr("c", "10.0.0.0/28")
    assert _plan(going, part, addresses=("10.0.0.7",)) == Plan([])
    assert _plan(going, part, addresses=("10.0.0.70",)).ready == TERMINATING


def test_both_families_count() -> None:
    going = _cidr("a", "10.0.0.0/24", "fd00::/112", deleted=20)
    assert _plan(going, addresses=("fd00::5",)).ready == TERMINATING
    assert _plan(going, _cidr("b", "10.0.0.0/8"), addresses=("fd00::5",)).ready == TERMINATING


def test_the_finalizer_goes_ten_seconds_after_the_deletion() -> None:
    assert _plan(_cidr("a", "10.0.0.0/24", deleted=4)) == Plan(again_after=6.0)
    assert _plan(_cidr("a", "10.0.0.0/24", deleted=10)) == Plan([])


def _ready(stage: Stage, name: str) -> str:
    found = stage.get(SERVICECIDRS, name) or {}
    return str((find_condition(found, "Ready") or {}).get("reason", "absent"))


async def test_the_default_one_is_held(stage: Stage) -> None:
    await stage.until(
        lambda: FINALIZER in finalizers_of(stage.get(SERVICECIDRS, "kubernetes") or {}),
        "the finalizer",
    )


async def test_one_goes_after_the_last_of_its_addresses(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_cidrs, "GRACE_SECONDS", 0.0)
    one = {"metadata": {"name": "one"}, "spec": {"cidrs": ["10.200.0.0/24"]}}
    await stage.client.create(SERVICECIDRS, one)
    await stage.until(lambda: _ready(stage, "one") == "", "a ready ServiceCIDR")
    await stage.namespace("cidrs")
    await stage.client.create(
        SERVICES,
        {
            "metadata": {"name": "held", "namespace": "cidrs"},
            "spec": {"clusterIP": "10.200.0.9", "ports": [{"port": 80}]},
        },
    )
    await stage.client.delete(SERVICECIDRS, "one")
    await stage.until(lambda: _ready(stage, "one") == "Terminating", "the reason it stays")
    await stage.client.delete(SERVICES, "held", "cidrs")
    await stage.until(lambda: stage.get(SERVICECIDRS, "one") is None, "its end")
