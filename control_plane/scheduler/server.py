"""The scheduler as a component: client, informers, queue and loop, put together.

Called by the command line, alone or beside the other components in one process. The informers run
from the start; pods are scheduled only while this process leads, if it takes part in an election.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from control_plane.api.resources import NODES, PODS
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.config import ConfigError as ClientConfigError
from control_plane.client.events import EventRecorder
from control_plane.client.health import wait_until_healthy
from control_plane.client.informer_set import InformerSet
from control_plane.client.leader_election import LeaderElector
from control_plane.scheduler.cache import Cache
from control_plane.scheduler.config import ConfigError, SchedulerConfig
from control_plane.scheduler.framework.framework import Framework
from control_plane.scheduler.plugins import PLUGINS
from control_plane.scheduler.pod_queue import PodQueue
from control_plane.scheduler.queued_pod import BackoffLimits
from control_plane.scheduler.scheduler import Cluster, Scheduler
from control_plane.scheduler.watch_handlers import POD_FIELD_SELECTOR, WatchHandlers

LEASE = "kube-scheduler"
USER_AGENT = f"{LEASE}/v1.35.0 (tapir)"  # what stands before the "/" owns what is written


async def run(config: SchedulerConfig, ready: asyncio.Event | None = None) -> None:
    """Schedule pods until cancelled.

    `ready` is set once pods and nodes have been listed. Raises ConfigError when the kubeconfig
    cannot be used, LeadershipLost when another process took over.
    """
    try:
        client_config = ClientConfig.from_kubeconfig(config.kubeconfig)
    except ClientConfigError as error:
        raise ConfigError(str(error)) from error
    async with ApiClient(client_config, user_agent=USER_AGENT) as client:
        await wait_until_healthy(client)
        await _run_with(client, config, ready)


async def _run_with(
    client: ApiClient, config: SchedulerConfig, ready: asyncio.Event | None
) -> None:
    framework = Framework(PLUGINS)
    limits = BackoffLimits(config.initial_backoff_seconds, config.max_backoff_seconds)
    cache, queue = Cache(), PodQueue(framework, limits=limits)
    recorder = EventRecorder(client, config.scheduler_name)
    cluster = Cluster(client, recorder, cache, queue)
    scheduler = Scheduler(cluster, framework, config.percentage_of_nodes)
    informers = _informers(client, WatchHandlers(cache, queue, config.scheduler_name))

    async def lead() -> None:
        await informers.wait_synced()
        if ready is not None:
            ready.set()
        if not config.leader_elect:
            await scheduler.run()
            return
        await LeaderElector(client, LEASE, config.identity).run(scheduler.run)

    await _together(informers.run(), recorder.run(), lead())


async def _together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run all parts until one ends or fails, then stop the others and pass its outcome on."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _informers(client: ApiClient, handlers: WatchHandlers) -> InformerSet:
    informers = InformerSet(client)
    informers.informer(NODES).add_handler(handlers.on_node)
    informers.informer(PODS, field_selector=POD_FIELD_SELECTOR).add_handler(handlers.on_pod)
    return informers
