"""The API server's flags: what is refused, in one line that names the flag."""

import argparse
from pathlib import Path

import pytest

from control_plane.apiserver.config import ApiServerConfig, ConfigError, add_flags, from_args


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.pem"
    path.write_text("")
    return path


def parse(file: Path, *flags: str) -> ApiServerConfig:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    files = ("client-ca", "tls-cert", "tls-private-key", "service-account-signing-key")
    required = ["--etcd-servers=http://127.0.0.1:1", *(f"--{name}-file={file}" for name in files)]
    return from_args(parser.parse_args([*required, *flags]))


def test_what_is_off_by_default_is_asked_for(file: Path) -> None:
    api = "admissionregistration.k8s.io/v1beta1"
    gate = "--feature-gates=MutatingAdmissionPolicy=true"

    features = parse(file, gate, f"--runtime-config={api}=true,apps/v1").features

    assert features.gates == {"MutatingAdmissionPolicy"}
    assert features.api_versions == {api}
    assert parse(file, gate, "--runtime-config=api/beta=true").features == features
    assert len(parse(file, "--runtime-config=api/all=true").features.api_versions) == 2
    assert not parse(file, f"--runtime-config=api/all,{api}=false").features.gates


def test_defaults_are_upstreams(file: Path) -> None:
    config = parse(file)

    assert (config.secure_port, config.event_ttl_seconds) == (6443, 3600)
    assert config.service_accounts.public_keys == (file,)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--bind-address=x", "--bind-address 'x' is not an IP address"),
        ("--advertise-address=x", "--advertise-address 'x' is not an IP address"),
        ("--service-cluster-ip-range=10.96.0.5/16", "--service-cluster-ip-range: 10.96.0.5/16 has"),
        ("--service-cluster-ip-range=10.96.0.0/30", "--service-cluster-ip-range 10.96.0.0/30 is"),
        ("--service-node-port-range=1", "--service-node-port-range '1': write FIRST-LAST"),
        ("--event-ttl=-1", "--event-ttl -1: give a number of seconds"),
        ("--etcd-compaction-interval=0", "--etcd-compaction-interval 0.0: give a number"),
        ("--etcd-prefix=x", "--etcd-prefix 'x'"),
        ("--etcd-servers=http://h:port", "--etcd-servers: http://h:port: the port is a number"),
        ("--etcd-servers=http://me:pw@h:1", "--etcd-servers: http://…@h: names and passwords"),
        ("--etcd-cafile=/nowhere", "--etcd-cafile /nowhere: No such file"),
        ("--etcd-certfile=/nowhere", "--etcd-certfile and --etcd-keyfile: give both or neither"),
        ("--kubelet-client-key=/nowhere", "--kubelet-client-certificate and --kubelet-client-key"),
        ("--tls-cert-file=/nowhere", "--tls-cert-file /nowhere: No such file"),
        ("--event-ttl=inf", "--event-ttl -1: give a number of seconds"),
        ("--service-account-lookup=false", "--service-account-lookup=false is not supported"),
        (
            "--service-account-max-token-expiration=59m",
            "--service-account-max-token-expiration: it",
        ),
        ("--service-account-max-token-expiration=1h", "--service-account-max-token-expiration: w"),
        ("--service-account-jwks-uri=http://x", "--service-account-jwks-uri 'http://x': give an"),
        ("--service-account-issuer=", "--service-account-issuer: name each issuer once"),
        ("--allow-privileged=false", "--allow-privileged=false is not supported: label"),
        ("--kubelet-preferred-address-types=IP", "--kubelet-preferred-address-types 'IP': choose"),
        ("--enable-admission-plugins=Foo", 'enable-admission-plugins plugin "Foo" is unknown'),
        ("--disable-admission-plugins=A,B", 'disable-admission-plugins plugin "A" is unknown'),
        ("--enable-admission-plugins=AlwaysDeny", "--enable-admission-plugins: the plugin Always"),
        ("--feature-gates=Foo=true", "--feature-gates: unrecognized feature gate: Foo"),
        ("--feature-gates=MutatingAdmissionPolicy", "--feature-gates: missing bool value for"),
        ("--feature-gates=MutatingAdmissionPolicy=x", "--feature-gates: invalid value of Mutating"),
        ("--feature-gates=MutatingAdmissionPolicy=true", "--feature-gates: MutatingAdmissionPol"),
        ("--runtime-config=apps/v1=false", "--runtime-config: apps/v1 cannot be switched off"),
        ("--runtime-config=batch/v7", "--runtime-config: batch/v7 is not an API that is served"),
        ("--admission-control-config-file=/nowhere", "--admission-control-config-file /nowhere: "),
    ],
)
def test_what_is_refused(file: Path, flag: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(file, flag)

    assert str(error.value).startswith(message)


KUBEADM = """
--advertise-address=192.0.2.1
--allow-privileged=true
--authorization-mode=Node,RBAC
--client-ca-file={file}
--enable-admission-plugins=NodeRestriction
--enable-bootstrap-token-auth=true
--etcd-cafile={file}
--etcd-certfile={file}
--etcd-keyfile={file}
--etcd-servers=https://127.0.0.1:2379
--kubelet-client-certificate={file}
--kubelet-client-key={file}
--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname
--proxy-client-cert-file={file}
--proxy-client-key-file={file}
--requestheader-allowed-names=front-proxy-client
--requestheader-client-ca-file={file}
--requestheader-extra-headers-prefix=X-Remote-Extra-
--requestheader-group-headers=X-Remote-Group
--requestheader-username-headers=X-Remote-User
--secure-port=6443
--service-account-issuer=https://kubernetes.default.svc.cluster.local
--service-account-key-file={file}
--service-account-signing-key-file={file}
--service-cluster-ip-range=10.96.0.0/12
--tls-cert-file={file}
--tls-private-key-file={file}
"""


def test_the_command_line_of_kubeadm_is_taken_as_it_is(file: Path) -> None:
    """What `kubeadm init` of v1.35 writes into the manifest of kube-apiserver."""
    parser = argparse.ArgumentParser()
    add_flags(parser)

    config = from_args(parser.parse_args(KUBEADM.format(file=file).split()))

    assert config.kubelet_address_types == ("InternalIP", "ExternalIP", "Hostname")
    assert config.auth.request_headers is not None
    assert config.auth.request_headers.allowed_names == ("front-proxy-client",)
    assert config.auth.bootstrap_tokens
    assert config.service_accounts.extends


def test_durations_are_written_as_upstream_writes_them(file: Path) -> None:
    config = parse(
        file,
        "--event-ttl=1h30m0s",
        "--etcd-compaction-interval=5m0s",
        "--authentication-token-webhook-cache-ttl=2m0s",
        "--service-account-max-token-expiration=24h0m0s",
    )

    assert (config.event_ttl_seconds, config.compaction_interval_seconds) == (5400, 300.0)
    assert config.auth.webhook_cache_seconds == 120.0
    assert config.service_accounts.max_seconds == 86_400


def test_the_first_issuer_signs_and_all_are_audiences(file: Path) -> None:
    flags = [f"--service-account-issuer=https://{name}" for name in ("a", "b")]

    accounts = parse(file, *flags).service_accounts

    assert (accounts.issuer, accounts.issuers) == ("https://a", ("https://b",))
    assert accounts.audiences == ("https://a", "https://b")
