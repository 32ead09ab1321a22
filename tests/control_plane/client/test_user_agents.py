"""Our components own what they write under the names that upstream's have."""

from control_plane.controllers import server as controllers
from control_plane.scheduler import server as scheduler


def test_field_managers_are_named_as_upstream_names_them() -> None:
    agents = (controllers.USER_AGENT, scheduler.USER_AGENT)
    assert [agent.partition("/")[0] for agent in agents] == [
        "kube-controller-manager",
        "kube-scheduler",
    ]
