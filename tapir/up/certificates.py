"""The certificates of a cluster while it runs: renewed before their end, and for new addresses.

What they are written to is looked at by the components, which take up what is new.
"""

import asyncio
import datetime
import ipaddress
import logging

from control_plane.pki.authority import PkiError
from control_plane.pki.cluster import ClusterNames, ClusterPki, ensure_pki
from tapir.up.addresses import IPAddress, local_address, node_address, server_url
from tapir.up.config import ConfigError, UpConfig

FIRST_SERVICE_ADDRESS = ipaddress.ip_address("10.96.0.1")
LOOK_SECONDS = 60.0

logger = logging.getLogger(__name__)


def ensure_certificates(config: UpConfig, address: IPAddress) -> ClusterPki:
    """Make what is missing, near its end or for other names; raises ConfigError."""
    listening = ipaddress.ip_address(config.bind_address)
    names = ClusterNames(
        server=server_url(listening, config.secure_port),
        addresses=(FIRST_SERVICE_ADDRESS, address, local_address(listening)),
        node=config.node_name,
        node_addresses=(address,),
    )
    try:
        return ensure_pki(config.data_dir, names, datetime.datetime.now(datetime.UTC))
    except PkiError as error:
        raise ConfigError(str(error)) from error


async def keep_certificates(config: UpConfig, look_seconds: float = LOOK_SECONDS) -> None:
    """Look every minute until cancelled; what fails is said and tried again."""
    while True:
        await asyncio.sleep(look_seconds)
        try:
            ensure_certificates(config, node_address(config.node_ip))
        except (ConfigError, OSError) as error:
            logger.error("certificates not renewed: %s", error)
