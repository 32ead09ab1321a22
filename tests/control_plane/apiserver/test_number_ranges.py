"""Ranges of addresses and ports: their bands, their order, and the bits as they are stored."""

import base64
import ipaddress

import orjson
import pytest

from control_plane.apiserver.allocation import address_range, port_set
from control_plane.apiserver.allocation.address_range import AddressRange, address_ranges
from control_plane.apiserver.allocation.errors import AllocationError, RangeFullError
from control_plane.apiserver.allocation.port_set import PortSet


def _first(_: int) -> int:
    return 0


def _range(text: str) -> AddressRange:
    return AddressRange(ipaddress.ip_network(text))


@pytest.mark.parametrize(
    ("size", "band"), [(8, 0), (16, 0), (32, 16), (256, 16), (1024, 64), (4096, 256), (65536, 256)]
)
def test_the_static_band_of_addresses(size: int, band: int) -> None:
    assert address_range.static_band(size) == band


@pytest.mark.parametrize(("size", "band"), [(16, 0), (17, 16), (512, 16), (2768, 86), (60000, 128)])
def test_the_static_band_of_ports(size: int, band: int) -> None:
    assert port_set.static_band(size) == band


def test_addresses_come_from_the_dynamic_band_first() -> None:
    free = list(_range("10.0.0.0/27").free(set(), _first))
    assert free[0] == "10.0.0.17"
    assert free[13:15] == ["10.0.0.30", "10.0.0.1"]
    assert len(free) == len(set(free)) == 30


def test_every_address_is_tried_wherever_it_begins() -> None:
    taken = {"10.0.0.3", "10.0.0.4"}
    free = list(_range("10.0.0.0/29").free(taken, lambda n: n - 1))
    assert free == ["10.0.0.6", "10.0.0.1", "10.0.0.2", "10.0.0.5"]


def test_a_range_of_ipv6_has_its_last_address() -> None:
    one = _range("fd00::/125")
    assert ipaddress.ip_address("fd00::7") in one
    assert ipaddress.ip_address("fd00::") not in one
    assert ipaddress.ip_address("10.0.0.1") not in one
    assert next(_range("fd00::/64").free(set(), lambda n: n - 1)) == "fd00::ffff:ffff:ffff:ffff"


def test_ranges_follow_the_objects() -> None:
    ready = {"type": "Ready", "status": "True"}
    one = {"metadata": {}, "spec": {"cidrs": ["10.0.0.0/24", "fd00::/112"]}}
    same = {**one, "status": {"conditions": [ready]}}
    not_ready = {
        "metadata": {},
        "spec": {"cidrs": ["10.1.0.0/24"]},
        "status": {"conditions": [{**ready, "status": "False"}]},
    }
    going = {"metadata": {"deletionTimestamp": "t"}, "spec": {"cidrs": ["10.2.0.0/24"]}}
    found = address_ranges([one, same, not_ready, going], only_ready=True)
    assert [str(each.network) for each in found] == ["10.0.0.0/24", "fd00::/112"]
    assert len(address_ranges([one, not_ready, going], only_ready=False)) == 4


def test_ports_are_taken_once() -> None:
    ports = PortSet(30000, 30031)
    ports.take(30005)
    with pytest.raises(AllocationError, match="provided port is already allocated"):
        ports.take(30005)
    with pytest.raises(AllocationError, match="The range of valid ports is 30000-30031"):
        ports.take(29999)
    ports.give_back(30005)
    assert ports.taken() == set()


def test_the_last_port_is_found_and_then_none() -> None:
    ports = PortSet(30000, 30031)
    found = [ports.take_any(lambda free: free[0]) for _ in range(32)]
    assert found == [*range(30016, 30032), *range(30000, 30016)]
    with pytest.raises(RangeFullError, match="range is full"):
        ports.take_any(lambda free: free[0])


def test_stored_ports_are_big_endian_bits() -> None:
    ports = PortSet(30000, 32767, [30000, 30009, 1])
    stored = orjson.loads(ports.encode())
    assert (stored["range"], base64.b64decode(stored["data"])) == ("30000-32767", b"\x02\x01")
    again = port_set.decode(ports.encode(), 30000, 32767)
    assert again is not None
    assert again.taken() == {30000, 30009}


@pytest.mark.parametrize("value", [b"", b"{}", b"[1]", b"k8s\x00\xff", b'{"data": "*"}'])
def test_what_is_no_set_of_this_range_is_none(value: bytes) -> None:
    assert port_set.decode(value, 30000, 32767) is None


def test_a_set_of_another_range_is_none() -> None:
    assert port_set.decode(PortSet(1, 9).encode(), 30000, 32767) is None
