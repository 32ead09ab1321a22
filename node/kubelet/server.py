"""The kubelet as a component: makes its parts, runs them, stops them. The composition root of
node/kubelet.

`run` is called by the command line and by the all-in-one process. Stopping leaves the containers
running: the next start adopts them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from typing import TYPE_CHECKING

from control_plane.api.resources import PODS, SERVICES
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.config import ConfigError as ClientConfigError
from control_plane.client.events import EventRecorder
from control_plane.client.informer_set import InformerSet
from node.kubelet.access.gate import gate
from node.kubelet.access.reviews import Reviews
from node.kubelet.certificates.bootstrap import client_store, prepare, serving_store
from node.kubelet.certificates.renewal import Renewal
from node.kubelet.certificates.signing_request import client_certificate, serving_certificate
from node.kubelet.config import ConfigError, KubeletConfig, check
from node.kubelet.images import ImagePuller
from node.kubelet.kubelet import Kubelet
from node.kubelet.machine.facts import MachineFacts, allocatable, read_facts
from node.kubelet.machine.node_reporter import NodeReporter
from node.kubelet.object_reader import ApiObjectReader
from node.kubelet.pod_events import PodEvents
from node.kubelet.pod_services import NodeFacts, PodServices
from node.kubelet.probes.prober import Prober
from node.kubelet.runtimes.base import Runtime, RuntimeFailure
from node.kubelet.runtimes.choice import open_runtime
from node.kubelet.streaming.app import certificate_files, make_app, serve, tls_context
from node.kubelet.volumes.pod_volumes import PodVolumes

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

log = logging.getLogger(__name__)


async def run(config: KubeletConfig, ready: asyncio.Event | None = None) -> None:
    """Run the node until cancelled; `ready` is set once the Node is reported Ready.

    Raises ConfigError, with one clear line, for what cannot work.
    """
    check(config)
    await prepare(config)
    client_config = _client_config(config)
    facts = await asyncio.to_thread(read_facts, config)
    try:
        runtime = await open_runtime(config)
    except RuntimeFailure as error:
        raise ConfigError(
            f"--container-runtime {config.container_runtime}: {error}; "
            "start the engine, or use --container-runtime simulated"
        ) from error
    try:
        async with ApiClient(client_config, user_agent="kubelet/v1.35.0 (tapir)") as client:
            await _run_parts(config, client, runtime, facts, ready)
    finally:
        await runtime.close()


async def _run_parts(
    config: KubeletConfig,
    client: ApiClient,
    runtime: Runtime,
    facts: MachineFacts,
    ready: asyncio.Event | None,
) -> None:
    recorder = EventRecorder(client, "kubelet", config.node_name)
    informers = InformerSet(client)
    services = _services(config, client, runtime, facts, recorder, informers)
    kubelet, prober = services
    pods = informers.informer(PODS, field_selector=f"spec.nodeName={config.node_name}")
    tls = tls_context(config)
    callers = gate(Reviews(client, config, time.monotonic), config, time.time)
    runner, port = await serve(make_app(kubelet, runtime, callers), config, tls)
    certificate = certificate_files(config, tls)
    reporter = NodeReporter(config, client, runtime, facts, recorder, port)
    log.info("kubelet_started node=%s port=%d runtime=%s", config.node_name, port, runtime.name)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(recorder.run(), name="events")
            tasks.create_task(certificate.run(), name="certificate")
            await reporter.register()
            for renewal in _renewals(config, client, facts, tls):
                tasks.create_task(renewal.run(), name="certificate")
            tasks.create_task(informers.run(), name="informers")
            tasks.create_task(reporter.renew_forever(), name="node-lease")
            tasks.create_task(reporter.report_forever(), name="node-status")
            await informers.wait_synced()
            pods.add_handler(kubelet.handle)
            tasks.create_task(kubelet.run(), name="kubelet")
            await reporter.ready.wait()
            if ready is not None:
                ready.set()
    finally:
        await prober.close()
        await runner.cleanup()


def _renewals(
    config: KubeletConfig, client: ApiClient, facts: MachineFacts, tls: ssl.SSLContext
) -> Iterator[Renewal]:
    """Yield what keeps the certificates good that were asked for, and puts new ones to use."""
    own = client_store(config)
    if config.rotate_certificates and own.certificate() is not None:
        wanted = client_certificate(config.node_name)
        yield Renewal(client, wanted, own, lambda: client.use(_client_config(config)))
    if config.rotate_server_certificates:
        serving = serving_store(config)
        wanted = serving_certificate(
            config.node_name, [one for one in facts.addresses if _is_address(one)]
        )

        def show() -> None:
            tls.load_cert_chain(serving.current)

        if serving.certificate() is not None:
            show()
        yield Renewal(client, wanted, serving, show)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _services(
    config: KubeletConfig,
    client: ApiClient,
    runtime: Runtime,
    facts: MachineFacts,
    recorder: EventRecorder,
    informers: InformerSet,
) -> tuple[Kubelet, Prober]:
    events, reader = PodEvents(recorder), ApiObjectReader(client)
    cluster_services = informers.informer(SERVICES)
    woken: list[Kubelet] = []  # for the prober and the workers: it is made after them
    prober = Prober(runtime, events, lambda uid: woken[0].wake(uid))
    services = PodServices(
        config=config,
        node=NodeFacts(facts.addresses, allocatable(facts, config.max_pods), facts.memory_bytes),
        runtime=runtime,
        client=client,
        events=events,
        reader=reader,
        volumes=PodVolumes(config.root_dir, reader),
        images=ImagePuller(runtime, reader, events),
        prober=prober,
        services=cluster_services.list,
        clock=time.time,
        active_pods=lambda: woken[0].admitted_pods(),
    )
    kubelet = Kubelet(services)
    woken.append(kubelet)
    return kubelet, prober


def _client_config(config: KubeletConfig) -> ClientConfig:
    try:
        return ClientConfig.from_kubeconfig(config.kubeconfig)
    except ClientConfigError as error:
        raise ConfigError(str(error)) from error
