"""`tapir status`: how a store and its servers stand, on one screen.

Exit codes: 0 all is well, 1 a server does not answer, none leads or an alarm is up, 2 the flags are
wrong or the database cannot be read.
"""

import argparse
import json
import os
import sys

from tapir.commands import etcd_flags
from tapir.commands.databases import SHARED
from tapir.refusal import Refusal, refusals_of

EXIT_UNWELL = 1


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add whom to ask, and as whom."""
    add = parser.add_argument
    add("--endpoints", default="http://127.0.0.1:2379", help="the servers' URLs, with commas")
    add("--cluster", action="store_true", help="ask every server that the first of them tells of")
    etcd_flags.add_flags(parser)
    add("--metrics-urls", default="", help="their --listen-metrics-urls in the same order: lag")
    add(
        "--endpoint",
        default="",
        help=f"database, {SHARED}: which server holds the lock, and which are alive",
    )
    add("--json", action="store_true", help="say it for programs")


def run(flags: argparse.Namespace) -> int:
    """Ask, say what was answered, and return the exit code."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is said below
    endpoints, metrics = _urls(flags.endpoints), _urls(flags.metrics_urls)
    if not endpoints:
        raise Refusal("--endpoints names no server: write http://host:port")
    if metrics and flags.cluster:
        raise Refusal("--metrics-urls and --cluster: name the servers in --endpoints instead")
    if metrics and len(metrics) != len(endpoints):
        raise Refusal("--metrics-urls: give one for each of --endpoints, in the same order")
    with refusals_of("datastore"):
        from datastore.tools.endpoint import check_server
        from datastore.tools.standing.answers import ask_all, members_of
        from datastore.tools.standing.holder import holder_of
        from datastore.tools.standing.screen import Standing, as_object, screen

        asker = etcd_flags.server_of(flags, endpoints[0])
        servers = [asker._replace(endpoint=endpoint) for endpoint in endpoints]
        for server in servers:
            check_server(server)
        if flags.cluster:
            urls = [url for known in members_of(servers[0]) for url in known.client_urls[:1]]
            servers = [asker._replace(endpoint=url) for url in urls]
        holder = holder_of(flags.endpoint) if flags.endpoint else None
        standing = Standing(ask_all(servers, metrics), holder)
    said = json.dumps(as_object(standing)) + "\n" if flags.json else screen(standing)
    sys.stdout.write(said)
    return 0 if standing.well else EXIT_UNWELL


def _urls(text: str) -> list[str]:
    return [url.strip() for url in text.split(",") if url.strip()]
