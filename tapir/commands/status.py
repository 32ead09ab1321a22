"""`tapir status`: how a store and its servers stand, on one screen.

Exit codes: 0 all is well, 1 a server does not answer or an alarm is up, 2 the flags are wrong or
the database cannot be read.
"""

import argparse
import json
import os
import sys

from tapir.commands import etcd_flags
from tapir.refusal import Refusal, refusals_of

EXIT_UNWELL = 1


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add whom to ask, and as whom."""
    add = parser.add_argument
    add("--endpoints", default="http://127.0.0.1:2379", help="the servers' URLs, with commas")
    etcd_flags.add_flags(parser)
    add("--metrics-urls", default="", help="their --listen-metrics-urls in the same order: lag")
    add(
        "--endpoint",
        default="",
        help="database, postgresql://… or mysql://…: which server holds the lock",
    )
    add("--json", action="store_true", help="say it for programs")


def run(flags: argparse.Namespace) -> int:
    """Ask, say what was answered, and return the exit code."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # what goes wrong is said below
    endpoints, metrics = _urls(flags.endpoints), _urls(flags.metrics_urls)
    if not endpoints:
        raise Refusal("--endpoints names no server: write http://host:port")
    if metrics and len(metrics) != len(endpoints):
        raise Refusal("--metrics-urls: give one for each of --endpoints, in the same order")
    with refusals_of("datastore"):
        from datastore.tools.endpoint import check_server
        from datastore.tools.standing.answers import ask_all
        from datastore.tools.standing.holder import holder_of
        from datastore.tools.standing.screen import Standing, as_object, screen

        asker = etcd_flags.server_of(flags, endpoints[0])
        servers = [asker._replace(endpoint=endpoint) for endpoint in endpoints]
        for server in servers:
            check_server(server)
        holder = holder_of(flags.endpoint) if flags.endpoint else None
        standing = Standing(ask_all(servers, metrics), holder)
    said = json.dumps(as_object(standing)) + "\n" if flags.json else screen(standing)
    sys.stdout.write(said)
    return 0 if standing.well else EXIT_UNWELL


def _urls(text: str) -> list[str]:
    return [url.strip() for url in text.split(",") if url.strip()]
