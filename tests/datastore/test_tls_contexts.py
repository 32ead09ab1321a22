"""The context of HTTPS listeners, in memory: rotation, versions and suites."""

import errno
import resource
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datastore.tls.contexts import server_context
from datastore.tls.files import Certificates
from datastore.tls.options import TlsOptions
from tests.support.certificates import Authority, Pair


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Authority(tmp_path).issue("server")


def context_of(pair: Pair, *suites: str) -> ssl.SSLContext:
    options = TlsOptions(str(pair.certificate), str(pair.key), cipher_suites=suites)
    return server_context(options, Certificates(options.cert_file, options.key_file, ""))


def shown(server: ssl.SSLContext, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """Return the certificate that a handshake shows, as PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = most
    client = handshake(server, context)
    return ssl.DER_cert_to_PEM_cert(client.getpeercert(binary_form=True) or b"").encode()


def handshake(
    server: ssl.SSLContext, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLObject:
    """Return the client's side of a connection, which may try to go on with a session."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there, server_hostname="localhost", session=session)
    other = server.wrap_bio(there, back, server_side=True)
    waiting = {client, other}
    while waiting:
        for side in list(waiting):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
    return client


def test_half_a_rotation_is_not_served(pair: Pair, tmp_path: Path) -> None:
    server = context_of(pair)
    (tmp_path / "next").mkdir()
    (tmp_path / "last").mkdir()
    rotated = Authority(tmp_path / "next").issue("server")
    third = Authority(tmp_path / "last").issue("server")
    pair.certificate.write_bytes(rotated.certificate.read_bytes())
    pair.key.write_bytes(rotated.key.read_bytes())
    assert shown(server) == rotated.certificate.read_bytes()

    pair.key.write_bytes(third.key.read_bytes()[:40])

    assert shown(server) == rotated.certificate.read_bytes()
    pair.certificate.write_bytes(third.certificate.read_bytes())
    pair.key.write_bytes(third.key.read_bytes())
    assert shown(server) == third.certificate.read_bytes()


def test_a_good_pair_that_https_has_not_used_yet_outlives_half_a_rotation(
    pair: Pair, tmp_path: Path
) -> None:
    options = TlsOptions(str(pair.certificate), str(pair.key))
    certificates = Certificates(options.cert_file, options.key_file, "")
    server = server_context(options, certificates)
    (tmp_path / "next").mkdir()
    rotated = Authority(tmp_path / "next").issue("server")
    pair.certificate.write_bytes(rotated.certificate.read_bytes())
    pair.key.write_bytes(rotated.key.read_bytes())
    certificates.current()  # as a handshake of gRPC does

    pair.key.write_bytes(b"half of a key")

    assert shown(server) == rotated.certificate.read_bytes()


def test_a_session_does_not_outlive_its_clients_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair, user = authority.issue("server", ["localhost"]), authority.issue("user")
    trusted = tmp_path / "trusted.crt"
    trusted.write_bytes(authority.certificate.read_bytes())
    files = (str(pair.certificate), str(pair.key), str(trusted))
    server = server_context(TlsOptions(*files), Certificates(*files))
    client = ssl.create_default_context(cafile=str(authority.certificate))
    client.load_cert_chain(user.certificate, user.key)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    session = handshake(server, client).session
    assert session is not None
    assert not handshake(server, client, session).session_reused

    (tmp_path / "new").mkdir()
    trusted.write_bytes(Authority(tmp_path / "new", "new-ca").certificate.read_bytes())

    with pytest.raises(ssl.SSLError):
        handshake(server, client, session)


@contextmanager
def no_descriptors() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_what_could_not_be_read_once_is_read_at_the_next_handshake(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = context_of(pair)
    before = shown(server)
    (tmp_path / "next").mkdir()
    rotated = Authority(tmp_path / "next").issue("server")
    pair.certificate.write_bytes(rotated.certificate.read_bytes())
    pair.key.write_bytes(rotated.key.read_bytes())

    with no_descriptors():
        assert [shown(server), shown(server)] == [before, before]
    assert caplog.text.count("Too many open files") == 1
    assert shown(server) == rotated.certificate.read_bytes()


def test_without_memory_for_a_file_it_is_read_later(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = context_of(pair)
    before = shown(server)
    (tmp_path / "next").mkdir()
    rotated = Authority(tmp_path / "next").issue("server")
    pair.certificate.write_bytes(rotated.certificate.read_bytes())
    pair.key.write_bytes(rotated.key.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr("os.memfd_create", _refuse)
        assert shown(server) == before
    assert shown(server) == rotated.certificate.read_bytes()


def _refuse(_: str) -> int:
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


def test_suites_of_tls_1_3_alone_leave_no_tls_1_2(pair: Pair) -> None:
    server = context_of(pair, "TLS_AES_128_GCM_SHA256")

    assert shown(server)
    with pytest.raises(ssl.SSLError):
        shown(server, ssl.TLSVersion.TLSv1_2)
