"""Which IP families a service speaks: its policy and families completed, and what forbids them.

Pure. Called before addresses are chosen. Source: v1.35 service storage (initIPFamilyFields).
"""

from collections.abc import Iterator, Sequence

from control_plane.api.errors import FieldError
from control_plane.api.field_error import invalid
from control_plane.api.objects import Object
from control_plane.api.preparation import service_rules as rules

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
_POLICY = "spec.ipFamilyPolicy"


def stays_as_it_is(spec: Object, stored: Object | None) -> bool:
    """Whether a service prefers dual stack and asks for no change.

    It is then left alone, although the cluster may have gained or lost a family since.
    """
    if stored is None or spec.get("type") != stored.get("type"):
        return False
    if not rules.needs_cluster_ip(spec):
        return False
    policies = (spec.get("ipFamilyPolicy"), stored.get("ipFamilyPolicy") or PREFER)
    if policies != (PREFER, PREFER):
        return False
    return _same(spec, stored, "clusterIPs") and _same(spec, stored, "ipFamilies")


def complete_families(
    spec: Object, stored: Object | None, families: Sequence[str]
) -> list[FieldError]:
    """Fill ipFamilyPolicy and ipFamilies of a service that has a cluster IP.

    `families` are the cluster's, the default one first. An error leaves the spec half done.
    """
    _choose_policy(spec, stored)
    errors = [*_narrowed(spec, stored), *_too_many(spec), *_infer_families(spec, families)]
    if errors:
        return errors
    anything = rules.is_headless(spec) and not spec.get("selector")
    if not anything:
        errors = list(_not_configured(spec, families))
        if errors:
            return errors
    chosen = spec.get("ipFamilies") or [families[0]]
    if spec["ipFamilyPolicy"] != SINGLE and len(chosen) == 1 and (anything or len(families) == 2):
        chosen = [chosen[0], _OTHER[chosen[0]]]
    spec["ipFamilies"] = chosen
    return []


def _choose_policy(spec: Object, stored: Object | None) -> None:
    if spec.get("ipFamilyPolicy"):
        return
    earlier = (stored or {}).get("ipFamilyPolicy")
    anything = rules.is_headless(spec) and not spec.get("selector")
    spec["ipFamilyPolicy"] = earlier or (REQUIRE if anything else SINGLE)


def _narrowed(spec: Object, stored: Object | None) -> Iterator[FieldError]:
    """Cut both lists to one where SingleStack asks for it; else they may not become shorter."""
    if stored is None:
        return
    policy = spec["ipFamilyPolicy"]
    for field, what in (
        ("clusterIPs", "secondary cluster IP"),
        ("ipFamilies", "secondary IP family"),
    ):
        values, earlier = spec.get(field) or [], stored.get(field) or []
        if policy == SINGLE:
            if values == earlier and len(values) > 1:
                spec[field] = values[:1]
        elif len(earlier) == 2 and len(values) == 1:
            yield invalid(_POLICY, policy, f"must be 'SingleStack' to release the {what}")


def _too_many(spec: Object) -> Iterator[FieldError]:
    if spec["ipFamilyPolicy"] != SINGLE:
        return
    for field, what in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
        if len(spec.get(field) or []) == 2:
            detail = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what}"
            yield invalid(_POLICY, SINGLE, f"{detail} are specified")


def _infer_families(spec: Object, families: Sequence[str]) -> Iterator[FieldError]:
    """Take the families that are not named from the addresses that are."""
    addresses, named = spec.get("clusterIPs") or [], list(spec.get("ipFamilies") or [])
    for index, address in enumerate(addresses):
        if address == rules.HEADLESS:
            break
        if index < len(named):
            continue
        family = rules.family_of(address)
        if family in families:
            named.append(family)
        else:
            detail = f"{family} is not configured on this cluster"
            yield invalid(f"spec.clusterIPs[{index}]", addresses, detail)
    if named:
        spec["ipFamilies"] = named


def _not_configured(spec: Object, families: Sequence[str]) -> Iterator[FieldError]:
    if spec["ipFamilyPolicy"] == REQUIRE and len(families) < 2:
        yield invalid(_POLICY, REQUIRE, "this cluster is not configured for dual-stack services")
    for index, family in enumerate(spec.get("ipFamilies") or []):
        if family not in families:
            yield invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster")


def _same(spec: Object, stored: Object, field: str) -> bool:
    return (spec.get(field) or []) == (stored.get(field) or [])
