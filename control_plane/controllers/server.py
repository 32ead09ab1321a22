"""The controller manager: all controllers on one client and one set of informers.

Called by the command line and by the all-in-one process. With leader election (the default for a
process of its own) the controllers run only while this process holds the Lease.
"""

import asyncio
import logging
import os
import socket
import uuid
from collections.abc import Iterable

from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.config import ConfigError as KubeconfigError
from control_plane.client.health import wait_until_healthy
from control_plane.client.informer_set import InformerSet
from control_plane.client.leader_election import ElectionTiming, LeaderElector
from control_plane.controllers.accounts import AccountClients
from control_plane.controllers.config import ConfigError, ControllersConfig, check
from control_plane.controllers.runtime import Controller, ControllerRuntime
from control_plane.controllers.table import CONTROLLERS, OFF_BY_DEFAULT

log = logging.getLogger(__name__)

LEASE_NAME = "kube-controller-manager"
USER_AGENT = f"{LEASE_NAME}/v1.35.0 (tapir)"  # what stands before the "/" owns what is written


async def run(config: ControllersConfig, ready: asyncio.Event | None = None) -> None:
    """Run the chosen controllers until cancelled; `ready` is set when their caches are filled.

    Raises ConfigError when the configuration cannot work, LeadershipLost when the Lease is lost:
    the process has to start over.
    """
    check(config)
    controllers = chosen(config)
    try:
        client_config = ClientConfig.from_kubeconfig(config.kubeconfig)
    except KubeconfigError as error:
        raise ConfigError(str(error)) from error
    async with ApiClient(client_config, user_agent=USER_AGENT) as client:
        await wait_until_healthy(client)
        separate = config.use_service_account_credentials
        async with AccountClients(client, client_config, USER_AGENT, separate=separate) as accounts:
            if not config.leader_elect:
                await run_controllers(client, accounts, controllers, ready)
                return
            elector = LeaderElector(client, LEASE_NAME, _identity(), timing=_timing(config))
            await elector.run(lambda: run_controllers(client, accounts, controllers, ready))


async def run_controllers(
    client: ApiClient,
    accounts: AccountClients,
    controllers: Iterable[Controller],
    ready: asyncio.Event | None,
) -> None:
    """Run these controllers until cancelled; all read with `client`, each writes with its own."""
    informers = InformerSet(client)
    runtimes = [
        ControllerRuntime(controller, await accounts.client(controller.name), informers)
        for controller in controllers
    ]
    for runtime in runtimes:
        runtime.attach()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informers.run(), name="informers")
        for runtime in runtimes:
            tasks.create_task(runtime.run(), name=runtime.controller.name)
        await informers.wait_synced()
        log.info("controllers_ready count=%d", len(runtimes))
        if ready is not None:
            ready.set()


def chosen(config: ControllersConfig) -> list[Controller]:
    """Return the controllers that --controllers names; raises ConfigError for unknown names."""
    unknown = {name.removeprefix("-") for name in config.controllers} - {"*", *CONTROLLERS}
    if unknown:
        raise ConfigError(
            f"--controllers names {', '.join(sorted(unknown))}, which is unknown: "
            f"choose from {', '.join(CONTROLLERS)}"
        )
    return [make(config) for name, make in CONTROLLERS.items() if _is_chosen(config, name)]


def _is_chosen(config: ControllersConfig, name: str) -> bool:
    names = config.controllers
    is_on = "*" in names and name not in OFF_BY_DEFAULT
    return f"-{name}" not in names and (is_on or name in names)


def _identity() -> str:
    """Return a name that no other process has."""
    return f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4()}"


def _timing(config: ControllersConfig) -> ElectionTiming:
    return ElectionTiming(
        config.leader_elect_lease_duration,
        config.leader_elect_renew_deadline,
        config.leader_elect_retry_period,
    )
