"""TLS of the client listeners, judged by a real etcd where it has the same answer."""

import asyncio
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.certificates import Authority, Pair
from tests.support.secure_server import ETCD, OURS, SERVED, SecureServer, call

Start = Callable[..., SecureServer]
HOSTS = ("127.0.0.1", "localhost")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(params=[OURS, ETCD])
def start(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Iterator[Start]:
    """Start a server of either kind with a certificate and more flags."""
    started = []

    def starting(*flags: str) -> SecureServer:
        pair = authority.issue("server", HOSTS)
        own = (f"--cert-file={pair.certificate}", f"--key-file={pair.key}")
        started.append(SecureServer(request.param, tmp_path, (*own, *flags)))
        return started[-1]

    yield starting
    for server in started:
        server.__exit__()


def trusting(authority: Authority) -> str:
    return f"--trusted-ca-file={authority.certificate}"


def test_a_certificate_is_shown_and_no_client_asked_for_one(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    server = start()
    (tmp_path / "other").mkdir()

    assert server.call(authority) == SERVED
    assert server.call(Authority(tmp_path / "other")).startswith("UNAVAILABLE")


@pytest.mark.parametrize("flags", [[], ["--client-cert-auth"]])
def test_a_client_must_show_a_certificate_of_the_authority(
    start: Start, authority: Authority, tmp_path: Path, flags: list[str]
) -> None:
    server = start(trusting(authority), *flags)
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other").issue("client")

    assert server.call(authority, authority.issue("client")) == SERVED
    assert server.call(authority).startswith("UNAVAILABLE")
    assert server.call(authority, stranger).startswith("UNAVAILABLE")


def test_a_revoked_certificate_is_refused_and_the_list_read_again(
    start: Start, authority: Authority
) -> None:
    good, bad = authority.issue("good"), authority.issue("bad")
    revoked = authority.revoke(bad)
    server = start(trusting(authority), f"--client-crl-file={revoked}")

    assert server.call(authority, good) == SERVED
    assert server.call(authority, bad) != SERVED
    authority.revoke(good)
    assert server.call(authority, good) != SERVED
    assert server.call(authority, bad) == SERVED


def test_whom_a_revoked_authority_has_signed_is_refused(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    good, bad = (Authority(tmp_path, name, above=authority) for name in ("good-ca", "bad-ca"))
    server = start(trusting(authority), f"--client-crl-file={authority.revoke(bad)}")

    assert server.call(authority, good.issue("of-good")) == SERVED
    assert server.call(authority, bad.issue("of-bad")) != SERVED


def test_a_client_must_have_one_of_the_allowed_host_names(
    start: Start, authority: Authority
) -> None:
    server = start(trusting(authority), "--client-cert-allowed-hostname=api.test,localhost")

    assert server.call(authority, authority.issue("one", ["localhost"])) == SERVED
    assert server.call(authority, authority.issue("two", ["127.0.0.1"])) != SERVED
    assert server.call(authority, authority.issue("localhost")) != SERVED


@pytest.mark.parametrize("kind", [OURS, ETCD])
def test_a_file_may_limit_common_names(kind: str, tmp_path: Path, authority: Authority) -> None:
    pair = authority.issue("server", HOSTS)
    section = {
        "cert-file": str(pair.certificate),
        "key-file": str(pair.key),
        "trusted-ca-file": str(authority.certificate),
        "allowed-cn": ["kube-apiserver", "backup"],
    }
    sections = {"client-transport-security": section}
    with SecureServer(kind, tmp_path, [], sections=sections) as server:
        assert server.call(authority, authority.issue("backup")) == SERVED
        assert server.call(authority, authority.issue("somebody")) != SERVED


def test_a_rotated_certificate_is_shown_to_the_next_client(
    start: Start, authority: Authority
) -> None:
    server = start()
    before = x509.load_der_x509_certificate(server.certificate()).serial_number

    rotated = authority.issue("server", HOSTS)

    assert before != rotated.serial
    assert x509.load_der_x509_certificate(server.certificate()).serial_number == rotated.serial
    assert server.call(authority) == SERVED


def versions(least: ssl.TLSVersion, most: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    context.minimum_version, context.maximum_version = least, most
    return context


TLS12 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
TLS13 = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)


def test_the_least_version_is_kept(start: Start, authority: Authority) -> None:
    server = start("--tls-min-version=TLS1.3")

    with server.handshake(versions(*TLS13)) as connection:
        assert connection.selected_alpn_protocol() == "h2"
    with pytest.raises(ssl.SSLError):
        server.handshake(versions(*TLS12))
    assert server.call(authority) == SERVED


def test_tls_1_2_is_the_least_by_default(start: Start) -> None:
    with start().handshake(versions(*TLS12)) as connection:
        assert connection.version() == "TLSv1.2"


def test_cipher_suites_are_kept(start: Start) -> None:
    server = start("--cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    chosen, other = versions(*TLS12), versions(*TLS12)
    chosen.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    other.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305")

    with server.handshake(chosen) as connection:
        assert connection.cipher() is not None
    with pytest.raises(ssl.SSLError):
        server.handshake(other)


async def test_etcdctl_connects_with_certificates(start: Start, authority: Authority) -> None:
    server, client = start(trusting(authority), "--client-cert-auth"), authority.issue("client")

    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "etcdctl",
        *(f"--endpoints={server.endpoint}", f"--cacert={authority.certificate}"),
        *(f"--cert={client.certificate}", f"--key={client.key}", "put", "a", "b"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()

    assert out == b"OK\n"


@pytest.mark.parametrize("kind", [OURS, ETCD])
def test_a_certificate_is_made_when_asked_for(kind: str, tmp_path: Path) -> None:
    with SecureServer(kind, tmp_path, ["--auto-tls", "--self-signed-cert-validity=2"]) as server:
        shown = x509.load_der_x509_certificate(server.certificate())
    with SecureServer(kind, tmp_path, ["--auto-tls"]) as server:
        again = x509.load_der_x509_certificate(server.certificate())

    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))
    assert (shown.not_valid_after_utc - shown.not_valid_before_utc).days == 730
    assert again == shown
    kept = tmp_path / "data" / "fixtures" / "client" / "key.pem"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_half_a_rotation_keeps_the_last_good_pair(tmp_path: Path, authority: Authority) -> None:
    pair = authority.issue("server", HOSTS)
    flags = (f"--cert-file={pair.certificate}", f"--key-file={pair.key}")
    with SecureServer(OURS, tmp_path, flags) as server:
        before = server.certificate()
        stray = authority.issue("stray", HOSTS)
        pair.certificate.write_bytes(stray.certificate.read_bytes())

        assert server.certificate() == before
        pair.key.write_bytes(stray.key.read_bytes())
        shown = x509.load_der_x509_certificate(server.certificate())

    assert shown.serial_number == stray.serial
    assert "certificates=kept" in server.log.read_text()


def test_a_rotated_authority_counts_for_the_next_client(
    tmp_path: Path, authority: Authority
) -> None:
    pair = authority.issue("server", HOSTS)
    client = authority.issue("client")
    trusted = tmp_path / "trusted.crt"
    trusted.write_bytes(authority.certificate.read_bytes())
    flags = (f"--cert-file={pair.certificate}", f"--key-file={pair.key}")
    with SecureServer(OURS, tmp_path, (*flags, f"--trusted-ca-file={trusted}")) as server:
        assert server.call(authority, client) == SERVED
        (tmp_path / "new").mkdir()
        new = Authority(tmp_path / "new", "new-ca")
        trusted.write_bytes(new.certificate.read_bytes())

        assert server.call(authority, client) != SERVED
        assert server.call(authority, new.issue("client")) == SERVED


def test_a_unix_socket_may_speak_tls(tmp_path: Path, authority: Authority) -> None:
    pair: Pair = authority.issue("server", HOSTS)
    path = tmp_path / "socket"
    flags = (f"--cert-file={pair.certificate}", f"--key-file={pair.key}", trusting(authority))
    with SecureServer(OURS, tmp_path, flags, f"unixs://{path}"):
        assert call(f"unix:{path}", authority, authority.issue("client")) == SERVED
        assert call(f"unix:{path}", authority).startswith("UNAVAILABLE")
