"""Secrets that bear a service account's token without an end, and what is noted of their use.

Called by the API server, which notes it, and by the controllers. Source: pkg/serviceaccount and
pkg/controlplane/controller/legacytokentracking of Kubernetes v1.35.
"""

from __future__ import annotations

from typing import Final

SECRET_TYPE: Final = "kubernetes.io/service-account-token"
ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"
ACCOUNT_UID: Final = "kubernetes.io/service-account.uid"

LAST_USED: Final = "kubernetes.io/legacy-token-last-used"
"""A label: the day of a token's last use, YYYY-MM-DD."""
INVALID_SINCE: Final = "kubernetes.io/legacy-token-invalid-since"
"""A label: the day from which on a token is refused."""

TRACKING: Final = "kube-apiserver-legacy-service-account-token-tracking"
"""The ConfigMap in kube-system whose `since` is the day from which on uses are noted."""
