"""Which API servers are alive: each keeps a key that expires when it stops renewing it."""

import ipaddress
import socket

import orjson

from control_plane.apiserver.config import ApiServerConfig
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.model import prefix_end

TTL_SECONDS = 15


class ServerPresence:
    """This server's key, and everybody's."""

    def __init__(self, etcd: EtcdClient, root: str, address: str) -> None:
        """`address` is the IP at which others reach this server; `root` as in "/registry"."""
        self._etcd = etcd
        self._prefix = f"{root}/masterleases/".encode()
        self._address = address

    async def announce(self) -> list[str]:
        """Renew this server's key; return the addresses of all living servers, in order."""
        key = self._prefix + self._address.encode()
        lease = await self._etcd.grant_lease(TTL_SECONDS)
        value = orjson.dumps(
            {
                "kind": "Endpoints",
                "apiVersion": "v1",
                "metadata": {"name": self._address},
                "subsets": [{"addresses": [{"ip": self._address}]}],
            }
        )
        current, _ = await self._etcd.get(key)
        revision = current.mod_revision if current is not None else 0
        await self._etcd.put_if(key, value, revision, lease)
        return sorted({*await self._living(), self._address})

    async def leave(self) -> list[str]:
        """Take this server's key away; return the addresses of the servers that stay."""
        key = self._prefix + self._address.encode()
        current, _ = await self._etcd.get(key)
        if current is not None:
            await self._etcd.delete_if(key, current.mod_revision)
        return sorted(await self._living())

    async def _living(self) -> list[str]:
        page = await self._etcd.range(self._prefix, prefix_end(self._prefix))
        return [kv.key[len(self._prefix) :].decode() for kv in page.kvs]


def advertised_address(config: ApiServerConfig) -> str:
    """The IP at which others reach this server: as told, as bound, or towards the outside.

    A loopback address is the last resort: nobody else can use it.
    """
    if config.advertise_address:
        return config.advertise_address
    bound = ipaddress.ip_address(config.bind_address)
    if not (bound.is_unspecified or bound.is_loopback):
        return config.bind_address
    return _address_of_default_route() or "127.0.0.1"


def _address_of_default_route() -> str:
    """This machine's address towards the outside; "" without a route. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return address
