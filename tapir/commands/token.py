"""`tapir token create`: a bootstrap token, and the command with which another machine joins."""

import argparse
import asyncio
import datetime
import sys
from pathlib import Path
from typing import Any

from tapir.joining.bootstrap_token import (
    TOKEN,
    cluster_info,
    new_token,
    permissions,
    token_secret,
)
from tapir.joining.cluster_info import ca_hash, cluster_kubeconfig
from tapir.refusal import Refusal

DAY_SECONDS = 24 * 3600.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    from control_plane.client.flags import seconds

    add = parser.add_argument
    add("action", choices=("create",), help="make a token")
    add("token", nargs="?", default="", help="the token: 6 and 16 characters with a dot between")
    add("--data-dir", type=Path, default=Path("data"), help="the cluster's data")
    add("--kubeconfig", type=Path, help="the administrator's (that of the data directory)")
    add("--ttl", type=seconds, default=DAY_SECONDS, help="how long it is good, as 24h; 0: for ever")
    add("--description", default="", help="what it is for")


def run(flags: argparse.Namespace) -> int:
    """Make the token and print the command; return the exit code."""
    token = flags.token or new_token()
    if not TOKEN.fullmatch(token):
        raise Refusal("token: give 6 characters, a dot and 16 characters of a-z and 0-9")
    ends = None
    if flags.ttl:
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=flags.ttl)
    secret = token_secret(token, flags.description, ends)
    command = asyncio.run(_create(flags.kubeconfig or flags.data_dir / "kubeconfig", secret, token))
    sys.stdout.write(f"{command}\n")
    return 0


async def _create(path: Path, secret: dict[str, Any], token: str) -> str:
    from control_plane.api.errors import AlreadyExists, ApiError
    from control_plane.api.resources import BUILT_IN, CONFIGMAPS, ENDPOINTS, SECRETS
    from control_plane.client.client import ApiClient
    from control_plane.client.config import ClientConfig, ConfigError

    try:
        config = ClientConfig.from_kubeconfig(path)
        async with ApiClient(config, user_agent="tapir-token") as client:
            endpoints = await client.get(ENDPOINTS, "kubernetes", "default")
            address = _address(endpoints)
            public = cluster_info(cluster_kubeconfig(f"https://{address}", config.ca_pem))
            rbac = "rbac.authorization.k8s.io"
            kinds = {row.kind: row for row in BUILT_IN.rows if row.group == rbac}
            wanted = [(kinds[one["kind"]], one) for one in permissions()]
            for resource, obj in (*wanted, (CONFIGMAPS, public)):
                try:
                    await client.create(resource, obj)
                except AlreadyExists:
                    continue
            await client.create(SECRETS, secret)
    except ConfigError as error:
        raise Refusal(str(error)) from error
    except (ApiError, OSError) as error:
        raise Refusal(f"{config.server}: {error}") from error
    pin = f"--discovery-token-ca-cert-hash {ca_hash(config.ca_pem)}"
    return f"tapir join {address} --token {token} {pin}"


def _address(endpoints: dict[str, Any]) -> str:
    """Where other machines reach the API server, as HOST:PORT."""
    subset = (endpoints.get("subsets") or [{}])[0]
    found = [one["ip"] for one in subset.get("addresses") or ()]
    ports = [one["port"] for one in subset.get("ports") or ()]
    if not (found and ports):
        raise Refusal("no API server has said yet where it is: try again in a moment")
    host = f"[{found[0]}]" if ":" in found[0] else found[0]
    return f"{host}:{ports[0]}"
