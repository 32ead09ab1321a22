"""Preparation of secrets, service accounts and leases.

Called by strategies.py. Source: v1.35 registry strategies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def update_secret(new: Object, old: Object, _now: str) -> None:
    """Keep the stored type where the client states none."""
    if not new.get("type"):
        keep(new, old, "type")


def create_service_account(account: Object, _now: str) -> None:
    """Keep nothing of the references to secrets but their names."""
    if account.get("secrets"):
        account["secrets"] = [
            {"name": secret["name"]} if "name" in secret else {} for secret in account["secrets"]
        ]


def update_service_account(new: Object, _old: Object, now: str) -> None:
    """Keep nothing of the references to secrets but their names."""
    create_service_account(new, now)


def create_lease(lease: Object, _now: str) -> None:
    """Drop the fields of coordinated leader election, a feature that is off."""
    spec = lease.get("spec") or {}
    spec.pop("strategy", None)
    spec.pop("preferredHolder", None)


def update_lease(new: Object, _old: Object, now: str) -> None:
    """Drop the fields of coordinated leader election, a feature that is off."""
    create_lease(new, now)
