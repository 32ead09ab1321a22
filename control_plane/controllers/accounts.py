"""Each controller acts as a service account of its own, kube-system/NAME, with that one's rights.

ACCOUNTS has the controllers whose account is not called as they are. Source: the start of the
controllers in kube-controller-manager v1.35.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from control_plane.client.account_token import AccountToken
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig

NAMESPACE = "kube-system"
ACCOUNTS: Mapping[str, str] = {
    "bootstrap-signer-controller": "bootstrap-signer",
    "certificatesigningrequest-approving-controller": "certificate-controller",
    "certificatesigningrequest-cleaner-controller": "certificate-controller",
    "certificatesigningrequest-signing-controller": "certificate-controller",
    "daemonset-controller": "daemon-set-controller",
    "endpoints-controller": "endpoint-controller",
    "endpointslice-mirroring-controller": "endpointslicemirroring-controller",
    "garbage-collector-controller": "generic-garbage-collector",
    "horizontal-pod-autoscaler-controller": "horizontal-pod-autoscaler",
    "node-ipam-controller": "node-controller",
    "node-lifecycle-controller": "node-controller",
    "node-route-controller": "route-controller",
    "persistentvolume-attach-detach-controller": "attachdetach-controller",
    "persistentvolume-binder-controller": "persistent-volume-binder",
    "persistentvolume-expander-controller": "expand-controller",
    "persistentvolume-protection-controller": "pv-protection-controller",
    "persistentvolumeclaim-protection-controller": "pvc-protection-controller",
    "pod-garbage-collector-controller": "pod-garbage-collector",
    "replicationcontroller-controller": "replication-controller",
    "resourceclaim-controller": "resource-claim-controller",
    "root-ca-certificate-publisher-controller": "root-ca-cert-publisher",
    "service-cidr-controller": "service-cidrs-controller",
    "serviceaccount-controller": "service-account-controller",
    "serviceaccount-token-controller": "",  # as the manager itself: it makes tokens for all
    "taint-eviction-controller": "node-controller",
    "token-cleaner-controller": "token-cleaner",
    "legacy-serviceaccount-token-cleaner-controller": "legacy-service-account-token-cleaner",
}


def account_of(controller: str) -> str:
    """The account of a controller, "" where the manager's own credentials are used."""
    return ACCOUNTS.get(controller, controller)


class AccountClients:
    """One client for each account; use it in an `async with` statement."""

    def __init__(
        self, manager: ApiClient, config: ClientConfig, user_agent: str, *, separate: bool
    ) -> None:
        """`manager` may ask for the tokens; without `separate` it does everybody's requests."""
        self._manager = manager
        self._config = replace(config, certificate_pem=b"", key_pem=b"", token="")
        self._user_agent = user_agent
        self._separate = separate
        self._clients: dict[str, ApiClient] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "AccountClients":
        """Open nothing yet."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every client."""
        await self._stack.aclose()

    async def client(self, controller: str) -> ApiClient:
        """The client with which a controller writes."""
        account = account_of(controller) if self._separate else ""
        if not account:
            return self._manager
        if account not in self._clients:
            token = AccountToken(self._manager, NAMESPACE, account)
            client = ApiClient(self._config, user_agent=self._user_agent, token=token)
            self._clients[account] = await self._stack.enter_async_context(client)
        return self._clients[account]
