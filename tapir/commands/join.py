"""`tapir join`: makes this machine a node, with a token and the hash of the cluster's CA.

The CA comes from the server itself and is believed for its hash. What is made lies in the data
directory, so that the same command starts the node again, when the token is long over.
"""

import argparse
import asyncio
import re
import socket
from pathlib import Path
from typing import Any

from tapir.joining.bootstrap_token import TOKEN
from tapir.joining.cluster_info import PATH, ClusterInfoError, ca_of, cluster_kubeconfig
from tapir.refusal import Refusal, refusals_of
from tapir.runner import run_until_signal

HASH = re.compile(r"sha256:[0-9a-fA-F]{64}")
SERVER = re.compile(r"(https://)?(?P<place>[^/\s]+:\d+)/?")
SECONDS = 30


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("server", metavar="HOST:PORT", help="the API server")
    add("--token", default="", help="a bootstrap token, as `tapir token create` makes them")
    add(
        "--discovery-token-ca-cert-hash",
        default="",
        metavar="sha256:HASH",
        help="of the public key of the cluster's CA",
    )
    add("--data-dir", type=Path, default=Path("data"), help="where the node's files are kept")
    add("--node-name", default="", help="name of the node (the host name)")
    add(
        "--kubelet-arg",
        action="append",
        default=[],
        metavar="FLAG=VALUE",
        help="a flag of `tapir kubelet`, without its dashes; repeatable",
    )
    add(
        "--log-level",
        choices=("debug", "info", "warn", "error"),
        default="info",
        help="least severe messages",
    )


def run(flags: argparse.Namespace) -> int:
    """Find the cluster if it is not known yet, and run the kubelet; return the exit code."""
    import logging

    logging.basicConfig(level=flags.log_level.upper())
    data: Path = flags.data_dir.absolute()
    own, bootstrap = data / "kubelet.kubeconfig", data / "bootstrap.kubeconfig"
    if not own.exists():
        _discover(flags, bootstrap)
    from node.kubelet import config as kubelet

    parser = argparse.ArgumentParser(prog="--kubelet-arg", allow_abbrev=False)
    kubelet.add_flags(parser)
    words = [
        f"--kubeconfig={own}",
        f"--bootstrap-kubeconfig={bootstrap}",
        f"--root-dir={data / 'kubelet'}",
        f"--cert-dir={data / 'pki'}",
        f"--hostname-override={flags.node_name or socket.gethostname().lower()}",
        "--rotate-certificates",
        "--rotate-server-certificates",
        *(f"--{text.lstrip('-')}" for text in flags.kubelet_arg),
    ]
    with refusals_of("node.kubelet"):
        from node.kubelet.server import run as run_kubelet

        config = kubelet.from_args(parser.parse_args(words))
        return run_until_signal(lambda: run_kubelet(config))


def _discover(flags: argparse.Namespace, path: Path) -> None:
    """Write the bootstrap kubeconfig; raises Refusal."""
    match = SERVER.fullmatch(flags.server)
    if match is None:
        raise Refusal(f"{flags.server!r}: give the API server as HOST:PORT")
    if not TOKEN.fullmatch(flags.token):
        raise Refusal("--token: give one that `tapir token create` has made")
    if not HASH.fullmatch(flags.discovery_token_ca_cert_hash):
        raise Refusal("--discovery-token-ca-cert-hash: give sha256: and 64 hexadecimal digits")
    server = f"https://{match['place']}"
    try:
        ca = ca_of(asyncio.run(_cluster_info(server)), flags.discovery_token_ca_cert_hash)
    except (ClusterInfoError, OSError) as error:
        raise Refusal(f"{server}{PATH}: {error}") from error
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(cluster_kubeconfig(server, ca, flags.token))
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from error


async def _cluster_info(server: str) -> dict[str, Any]:
    """Read cluster-info as nobody: the server is not believed yet, and is sent nothing."""
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(server + PATH, ssl=False) as answer,
        ):
            if answer.status != 200:
                raise ClusterInfoError(
                    f"it answered {answer.status}: run `tapir token create` at the cluster first"
                )
            document: dict[str, Any] = await answer.json(content_type=None)
            return document
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise ClusterInfoError(str(error) or type(error).__name__) from error
