"""The HTTPS application: routes and serving.

A caller shows a certificate of the cluster's CA (TLS refuses others) or a token; who may call what
is for the gate of node/kubelet/access to say. Called by server.py.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from aiohttp import web

from control_plane.client.certificate_files import CertificateFiles
from node.kubelet.config import ConfigError, KubeletConfig
from node.kubelet.streaming.container_logs import container_logs
from node.kubelet.streaming.context import KUBELET, RUNTIME
from node.kubelet.streaming.port_forward import port_forward
from node.kubelet.streaming.remote_command import attach, exec_command

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

    from node.kubelet.kubelet import Kubelet
    from node.kubelet.runtimes.base import Runtime


def make_app(kubelet: Kubelet, runtime: Runtime, gate: Middleware) -> web.Application:
    """Return the application with all routes; `gate` says who may call them."""
    app = web.Application(middlewares=[gate])
    app[KUBELET], app[RUNTIME] = kubelet, runtime
    for path in ("/healthz", "/healthz/ping", "/healthz/log", "/healthz/syncloop"):
        app.router.add_get(path, healthz)
    app.router.add_get("/pods", pods)
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", container_logs)
    for method in ("GET", "POST"):
        for handler, word in ((exec_command, "exec"), (attach, "attach")):
            for path in ("{namespace}/{pod}/{container}", "{namespace}/{pod}/{uid}/{container}"):
                app.router.add_route(method, f"/{word}/{path}", handler)
        for path in ("{namespace}/{pod}", "{namespace}/{pod}/{uid}"):
            app.router.add_route(method, f"/portForward/{path}", port_forward)
    return app


async def healthz(request: web.Request) -> web.Response:
    """Answer ok."""
    return web.Response(text="ok")


async def pods(request: web.Request) -> web.Response:
    """Answer with the pods bound to this kubelet, as it knows them."""
    items = request.app[KUBELET].pods()
    return web.json_response(
        {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
    )


async def serve(
    app: web.Application, config: KubeletConfig, tls: ssl.SSLContext
) -> tuple[web.AppRunner, int]:
    """Start serving; return the runner (to be cleaned up) and the port in use.

    Raises ConfigError when the port is taken.
    """
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    site = web.TCPSite(
        runner,
        config.address,
        config.port,
        ssl_context=tls,
        reuse_address=True,
    )
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(
            f"--port: cannot listen on {config.address}:{config.port}: "
            f"{os.strerror(error.errno or 0)}; "
            "stop what listens there or choose another port"
        ) from error
    return runner, int(runner.addresses[0][1])


def certificate_files(config: KubeletConfig, tls: ssl.SSLContext) -> CertificateFiles:
    """Follow the files of the certificate that is served with, and of the clients' CA."""
    files = (config.tls_cert_file, config.tls_private_key_file, config.client_ca_file)
    return CertificateFiles(files, lambda: load_files(tls, config))


def load_files(context: ssl.SSLContext, config: KubeletConfig) -> None:
    """Read our certificate and the clients' CA, at the start and when they have been replaced."""
    context.load_cert_chain(config.tls_cert_file, config.tls_private_key_file)
    context.load_verify_locations(config.client_ca_file)


def tls_context(config: KubeletConfig) -> ssl.SSLContext:
    """Return the server's TLS settings: clients show a certificate of the CA, or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        load_files(context, config)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"cannot use {config.tls_cert_file}, {config.tls_private_key_file} and "
            f"{config.client_ca_file} for TLS: {error}"
        ) from error
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
