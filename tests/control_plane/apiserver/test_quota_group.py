"""What is charged together: in which order writes are judged, and what becomes of them."""

import datetime
from typing import Any

from control_plane.api.quota.charging import Quota, Write, additions
from control_plane.api.quota.countables import countable
from control_plane.apiserver.admission.quota_group import Share, grouped

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


def quota(name: str = "q", used: str = "0", hard: str = "1") -> Quota:
    return Quota(name, {"cpu": hard}, {"cpu": used}, ())


def share(cpu: str, *, is_dry_run: bool = False) -> Share:
    row = countable("", "pods")
    assert row is not None
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    pod: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    return Share(Write(row, pod, None, NOW), is_dry_run)


def shown(quotas: list[Quota]) -> dict[str, str]:
    return {one.name: one.used["cpu"] for one in quotas}


def test_writes_are_charged_together_in_every_quota_that_counts_them() -> None:
    one, two = share("100m"), share("300m")
    group = grouped([quota("a"), quota("b", "500m"), Quota("c", {"services": "1"}, {}, ())],
                    (one, two), ())  # fmt: skip
    assert group.charged == [one, two]
    assert shown(group.quotas) == {"a": "400m", "b": "900m"}


def test_what_did_not_fit_is_refused_and_what_only_others_left_no_room_for_is_late() -> None:
    large, first, second, small = (share(cpu) for cpu in ("2", "600m", "500m", "400m"))
    group = grouped([quota()], (large, first, second, small), ())
    assert [one for one, _ in group.refused] == [large]
    assert (group.charged, group.late) == ([first, small], [second])
    assert shown(group.quotas) == {"q": "1"}


def test_a_dry_run_is_judged_and_adds_nothing() -> None:
    tried, too_large = share("1", is_dry_run=True), share("2", is_dry_run=True)
    group = grouped([quota()], (tried, too_large), ())
    assert (group.free, [one for one, _ in group.refused]) == ([tried], [too_large])
    assert not group.quotas


def test_what_is_owed_makes_room_first() -> None:
    full = quota(used="1")
    owed = additions([quota()], share("400m").write)
    group = grouped([full], (share("300m"),), [owed, {"gone": owed["q"]}])
    assert len(group.charged) == 1
    assert shown(group.quotas) == {"q": "900m"}
    assert shown(grouped([full], (), [owed]).quotas) == {"q": "600m"}
