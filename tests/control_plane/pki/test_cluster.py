"""The cluster's certificates: made once, renewed when they must be, never silently replaced."""

import datetime
import ipaddress
import ssl
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from control_plane.pki.authority import Authority, PkiError
from control_plane.pki.cluster import ClusterNames, ClusterPki, ensure_pki, rotate_pki

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
NAMES = ClusterNames(
    server="https://127.0.0.1:6443",
    addresses=(ipaddress.ip_address("10.96.0.1"),),
    node="alpha",
    node_addresses=(ipaddress.ip_address("172.17.0.1"),),
)


def contents(pki: ClusterPki) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in pki.data_dir.rglob("*") if path.is_file()}


def leaf(pki: ClusterPki, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pki.pair(name).certificate.read_bytes())


def test_every_leaf_is_signed_by_the_authority(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)

    authority = leaf(pki, "ca")
    for name in ("admin", "apiserver", "apiserver-kubelet-client", "scheduler", "kubelet-alpha"):
        leaf(pki, name).verify_directly_issued_by(authority)


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)

    secrets = [*pki.directory.glob("*.key"), pki.kubeconfig(), pki.kubeconfig("scheduler")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    before = contents(ensure_pki(tmp_path, NAMES, NOW))

    assert contents(ensure_pki(tmp_path, NAMES, NOW + datetime.timedelta(days=1))) == before


def test_a_leaf_near_its_end_is_issued_anew_and_the_authority_stays(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    before = contents(pki)

    ensure_pki(tmp_path, NAMES, NOW + datetime.timedelta(days=340))

    after = contents(pki)
    assert after[pki.pair("ca").certificate] == before[pki.pair("ca").certificate]
    assert after[pki.pair("apiserver").certificate] != before[pki.pair("apiserver").certificate]
    assert after[pki.service_account_key] == before[pki.service_account_key]


def test_a_changed_address_gives_the_server_a_new_certificate(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    moved = ClusterNames(
        NAMES.server, (ipaddress.ip_address("192.0.2.7"),), NAMES.node, NAMES.node_addresses
    )

    ensure_pki(tmp_path, moved, NOW)

    names = leaf(pki, "apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert ipaddress.ip_address("192.0.2.7") in names.value.get_values_for_type(x509.IPAddress)


def test_a_lost_authority_key_is_an_error_and_not_a_new_authority(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    pki.pair("ca").key.unlink()

    with pytest.raises(PkiError, match=r"ca\.key is missing .* restore it from a backup"):
        ensure_pki(tmp_path, NAMES, NOW)


def test_a_crash_between_key_and_certificate_is_made_good(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    server, other = pki.pair("apiserver"), pki.pair("admin")
    server.key.write_bytes(other.key.read_bytes())

    ensure_pki(tmp_path, NAMES, NOW)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)


def test_the_key_of_another_authority_is_refused(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path / "one", NAMES, NOW)
    other = ensure_pki(tmp_path / "two", NAMES, NOW)
    pki.pair("ca").key.write_bytes(other.pair("ca").key.read_bytes())

    with pytest.raises(PkiError, match=r"ca\.key is not the key of .*ca\.crt: restore both"):
        ensure_pki(tmp_path / "one", NAMES, NOW)


def test_a_lost_authority_certificate_is_made_again_and_the_old_leaves_stay_good(
    tmp_path: Path,
) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    before = leaf(pki, "admin")
    pki.pair("ca").certificate.unlink()

    ensure_pki(tmp_path, NAMES, NOW)

    before.verify_directly_issued_by(leaf(pki, "ca"))
    assert leaf(pki, "admin") == before


def test_an_unreadable_certificate_is_named(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    pki.pair("apiserver").certificate.write_text("rubbish")

    with pytest.raises(PkiError, match=r"apiserver\.crt is not a readable PEM certificate"):
        ensure_pki(tmp_path, NAMES, NOW)


def test_the_administrators_kubeconfig_carries_a_usable_certificate(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)

    document = yaml.safe_load(pki.kubeconfig().read_text())
    context = ssl.create_default_context(cafile=str(pki.pair("ca").certificate))
    context.load_cert_chain(pki.pair("admin").certificate, pki.pair("admin").key)

    assert document["clusters"][0]["cluster"]["server"] == NAMES.server
    assert "client-key-data" in document["users"][0]["user"]


def test_a_rotation_replaces_all_but_the_authority_and_the_token_key(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    before = contents(pki)

    names = rotate_pki(tmp_path, NOW)

    after = contents(pki)
    kept = {pki.pair("ca").certificate, pki.pair("ca").key}
    kept |= {pki.front_proxy("ca").certificate, pki.front_proxy("ca").key}
    kept |= {pki.service_account_key, pki.service_account_public_key}
    assert {path for path in before if before[path] == after[path]} == kept
    assert names == [
        "admin", "apiserver", "apiserver-kubelet-client", "controller-manager", "kubelet-alpha",
        "scheduler", "front-proxy/client",
    ]  # fmt: skip
    assert (
        leaf(pki, "scheduler").subject
        == x509.load_pem_x509_certificate(before[pki.pair("scheduler").certificate]).subject
    )
    ensure_pki(tmp_path, NAMES, NOW)
    assert contents(pki) == after


def authority_of_proxies(pki: ClusterPki) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pki.front_proxy("ca").certificate.read_bytes())


def test_the_authority_of_front_proxies_has_a_name_of_its_own(tmp_path: Path) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)

    assert authority_of_proxies(pki).subject.rfc4514_string() == "CN=front-proxy-ca"
    assert leaf(pki, "ca").subject.rfc4514_string() == "CN=tapir-ca"


def test_a_rotation_replaces_an_authority_of_front_proxies_with_the_clusters_name(
    tmp_path: Path,
) -> None:
    pki = ensure_pki(tmp_path, NAMES, NOW)
    Authority.replace(pki.front_proxy("ca"), NOW, "tapir-ca")
    old = authority_of_proxies(ensure_pki(tmp_path, NAMES, NOW))
    assert old.subject == leaf(pki, "ca").subject  # a start leaves it as it is

    names = rotate_pki(tmp_path, NOW)

    new = authority_of_proxies(pki)
    assert names[-2:] == ["front-proxy/ca", "front-proxy/client"]
    assert new.subject.rfc4514_string() == "CN=front-proxy-ca"
    assert new.public_key() != old.public_key()
    client = pki.front_proxy("client").certificate.read_bytes()
    x509.load_pem_x509_certificate(client).verify_directly_issued_by(new)
    after = contents(pki)
    assert contents(ensure_pki(tmp_path, NAMES, NOW)) == after
    assert "front-proxy/ca" not in rotate_pki(tmp_path, NOW)


def test_a_rotation_needs_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(PkiError, match="give the data directory of a cluster"):
        rotate_pki(tmp_path, NOW)
