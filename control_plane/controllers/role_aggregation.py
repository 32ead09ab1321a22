"""The clusterrole-aggregation controller: aggregated ClusterRoles have the rules of those selected.

The rules of all roles that one of an aggregationRule's selectors selects are put together by the
roles' names, each once. Source: kubernetes pkg/controller/clusterroleaggregation.
"""

from collections.abc import Iterable, Iterator

from control_plane.api import label_selector
from control_plane.api.objects import Object, dig, key_of, labels_of, name_of
from control_plane.api.resources import CLUSTERROLES
from control_plane.controllers.cluster import Cluster
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.runtime import DONE, Controller, Result
from control_plane.controllers.sources import Change, Watches


def role_aggregation(config: ControllersConfig) -> Controller:
    """Return the controller of aggregated roles."""
    del config
    return Controller(
        "clusterrole-aggregation-controller",
        "clusterrole-aggregation-controller",
        reconcile,
        sources=(Watches(CLUSTERROLES, aggregated_roles),),
    )


def aggregated_roles(cluster: Cluster, change: Change) -> Iterable[str]:
    """Return all aggregated roles: any of them may select the one that changed, or did before."""
    del change
    for role in cluster.list(CLUSTERROLES):
        if role.get("aggregationRule"):
            yield key_of(role)


def aggregated_rules(role: Object, roles: Iterable[Object]) -> list[Object]:
    """Return what the rules of an aggregated role should be."""
    rules: list[Object] = []
    for other in sorted(_selected(role, roles), key=name_of):
        rules += (rule for rule in other.get("rules") or () if rule not in rules)
    return rules


def _selected(role: Object, roles: Iterable[Object]) -> Iterator[Object]:
    found = dig(role, "aggregationRule", "clusterRoleSelectors", default=None) or []
    selectors = [label_selector.from_object(selector) for selector in found]
    for other in roles:
        is_other = name_of(other) != name_of(role)
        if is_other and any(selector.matches(labels_of(other)) for selector in selectors):
            yield other


async def reconcile(key: str, cluster: Cluster) -> Result:
    """Give the role `key` the rules that it should have."""
    role = cluster.get(CLUSTERROLES, key)
    if role is None or not role.get("aggregationRule"):
        return DONE
    rules = aggregated_rules(role, cluster.list(CLUSTERROLES))
    if rules != (role.get("rules") or []):
        await cluster.client.update(CLUSTERROLES, {**role, "rules": rules})
    return DONE
