"""The certificates of a cluster that runs: they follow the machine's addresses."""

import argparse
import asyncio
import contextlib
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509

from tapir.up import certificates
from tapir.up.certificates import ensure_certificates, keep_certificates
from tapir.up.config import add_flags, from_args

HERE, THERE = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2")


async def test_the_servers_certificate_follows_the_machines_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    config = from_args(parser.parse_args([f"--data-dir={tmp_path}"]))
    pki = ensure_certificates(config, HERE)

    def addresses() -> list[object]:
        text = pki.pair("apiserver").certificate.read_bytes()
        extensions = x509.load_pem_x509_certificate(text).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return list(names.get_values_for_type(x509.IPAddress))

    assert HERE in addresses()
    monkeypatch.setattr(certificates, "node_address", lambda _given: THERE)
    keeping = asyncio.create_task(keep_certificates(config, look_seconds=0.01))
    try:
        async with asyncio.timeout(60):
            while THERE not in addresses():  # noqa: ASYNC110  nobody announces it
                await asyncio.sleep(0.01)
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
    assert HERE not in addresses()
