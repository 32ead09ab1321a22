"""Reading kubeconfig files, and refusing what cannot be used."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from control_plane.client.config import ClientConfig, ConfigError


def write(path: Path, cluster: dict[str, Any], user: dict[str, Any], context: str = "main") -> Path:
    document = {
        "current-context": context,
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def test_files_are_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("CA")
    (tmp_path / "token").write_text("abc\n")
    path = write(
        tmp_path / "kubeconfig",
        {"server": "https://host:6443/", "certificate-authority": "ca.crt"},
        {"tokenFile": "token"},
    )

    config = ClientConfig.from_kubeconfig(path)

    assert (config.server, config.ca_pem, config.token) == ("https://host:6443", b"CA", "abc")


def test_embedded_data_is_decoded(tmp_path: Path) -> None:
    path = write(
        tmp_path / "kubeconfig",
        {"server": "https://host:6443", "tls-server-name": "kubernetes"},
        {"client-certificate-data": base64.b64encode(b"CERT").decode()},
    )

    config = ClientConfig.from_kubeconfig(path)

    assert config.certificate_pem == b"CERT"
    assert config.tls_server_name == "kubernetes"


def test_secrets_are_not_shown() -> None:
    shown = repr(ClientConfig("https://host", key_pem=b"KEY", token="TOKEN"))

    assert "KEY" not in shown
    assert "TOKEN" not in shown


@pytest.mark.parametrize(
    ("cluster", "user", "text"),
    [
        pytest.param({"server": "host"}, {}, "has the server 'host'", id="no-url"),
        pytest.param(
            {"server": "https://h"}, {"exec": {"command": "aws"}}, "uses 'exec'", id="exec"
        ),
        pytest.param({"server": "https://h"}, {"username": "me"}, "uses 'username'", id="basic"),
        pytest.param(
            {"server": "https://h", "proxy-url": "http://p"}, {}, "uses 'proxy-url'", id="proxy"
        ),
        pytest.param(
            {"server": "https://h", "certificate-authority-data": "%"},
            {},
            "is not base64",
            id="base64",
        ),
        pytest.param(
            {"server": "https://h", "certificate-authority": "none.crt"},
            {},
            "cannot read .*none.crt",
            id="missing-file",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], text: str
) -> None:
    path = write(tmp_path / "kubeconfig", cluster, user)

    with pytest.raises(ConfigError, match=text):
        ClientConfig.from_kubeconfig(path)


@pytest.mark.parametrize("server", ["https://h:port", "https://[::1", "https://h:99999", "ftp://h"])
def test_a_server_that_is_no_url_is_refused(tmp_path: Path, server: str) -> None:
    path = write(tmp_path / "kubeconfig", {"server": server}, {})

    with pytest.raises(ConfigError, match="give a URL"):
        ClientConfig.from_kubeconfig(path)


@pytest.mark.parametrize("contexts", ["main", ["main"], [{"name": "main", "context": "c"}], {}, 7])
def test_entries_of_another_shape_are_refused(tmp_path: Path, contexts: Any) -> None:
    document = {"current-context": "main", "contexts": contexts, "clusters": [7], "users": None}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(document))

    with pytest.raises(ConfigError, match=r"has no (context|cluster) named"):
        ClientConfig.from_kubeconfig(tmp_path / "kubeconfig")


@pytest.mark.parametrize(
    "pem", [{"ca_pem": b"CA"}, {"ca_pem": b"\xff"}, {"certificate_pem": b"C", "key_pem": b"K"}]
)
def test_certificates_that_are_none_are_refused(pem: dict[str, bytes]) -> None:
    with pytest.raises(ConfigError, match="for https://host cannot be used"):
        ClientConfig("https://host", **pem).ssl_context()  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["{", "- a", ""])
def test_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "kubeconfig").write_text(content)

    with pytest.raises(ConfigError, match=r"kubeconfig .* is not"):
        ClientConfig.from_kubeconfig(tmp_path / "kubeconfig")


def test_missing_context_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "kubeconfig", {"server": "https://h"}, {}, context="other")

    with pytest.raises(ConfigError, match="no context named 'other'"):
        ClientConfig.from_kubeconfig(path)


def test_plain_http_needs_no_tls() -> None:
    assert ClientConfig("http://host").ssl_context() is None
