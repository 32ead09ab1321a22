"""Where the API server is and who we are: the part of a kubeconfig file that a component uses.

Called by every component's `server.py`. Reads the file and the files it names once; the keys stay
in memory. What a kubeconfig may ask for and we cannot do (exec plug-ins, auth providers, proxies,
passwords, impersonation) is refused by name.
"""

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

_UNSUPPORTED_USER = (
    "exec", "auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra",
)  # fmt: skip
_UNSUPPORTED_CLUSTER = ("proxy-url", "disable-compression")


class ConfigError(Exception):
    """A kubeconfig that cannot be used; the text is one line that names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """An API server's URL and the credentials to use there; PEM texts as bytes, empty when absent.

    `server` has no trailing slash. `tls_server_name` replaces the URL's host when the server's
    certificate is checked. `insecure` switches that check off. `source` is the file that says it
    all, None where there is none.
    """

    server: str
    ca_pem: bytes = b""
    certificate_pem: bytes = b""
    key_pem: bytes = field(default=b"", repr=False)
    token: str = field(default="", repr=False)
    tls_server_name: str = ""
    insecure: bool = False
    source: Path | None = None

    @classmethod
    def from_kubeconfig(cls, path: str | Path, context: str = "") -> "ClientConfig":
        """Read the current context, or the named one, of the kubeconfig file at `path`.

        Paths in it are relative to its folder. Raises ConfigError for anything amiss.
        """
        return _KubeconfigReader(Path(path)).read(context)

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS settings, or None for a plain http URL. ConfigError for a bad PEM text."""
        if not self.server.startswith("https:"):
            return None
        try:
            tls = ssl.create_default_context(cadata=self.ca_pem.decode() or None)
            if self.certificate_pem:
                _load_certificate(tls, self.certificate_pem, self.key_pem)
        except (ssl.SSLError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"the certificates or the key for {self.server} cannot be used ({error}): "
                "give PEM texts that belong together"
            ) from error
        if self.insecure:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        return tls

    def show_certificate(self, tls: ssl.SSLContext) -> None:
        """Give our certificate to settings that are in use already; raises ConfigError."""
        try:
            _load_certificate(tls, self.certificate_pem, self.key_pem)
        except ssl.SSLError as error:
            raise ConfigError(
                f"the certificate for {self.server} cannot be used: {error}"
            ) from error


def users_of(path: Path) -> dict[str, ClientConfig]:
    """Return the users of a kubeconfig by name, without a server; raises ConfigError."""
    return _KubeconfigReader(path).users()


def _load_certificate(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Give the pair to `tls`, which takes only files: a private one, gone at once."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as pair:  # created with mode 0600
        pair.write(certificate.rstrip() + b"\n" + key)
        pair.flush()
        tls.load_cert_chain(pair.name)


def _is_url(server: str) -> bool:
    try:
        parts = urlsplit(server)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that are none
        return False


class _KubeconfigReader:
    """One kubeconfig file being read; carries its path into every complaint."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, context: str) -> ClientConfig:
        document = self._document()
        name = context or document.get("current-context") or ""
        chosen = self._named(document, "contexts", "context", name)
        cluster = self._named(document, "clusters", "cluster", chosen.get("cluster", ""))
        user = self._named(document, "users", "user", chosen.get("user", ""))
        self._refuse(user, _UNSUPPORTED_USER)
        self._refuse(cluster, _UNSUPPORTED_CLUSTER)
        return ClientConfig(
            server=self._server(cluster),
            ca_pem=self._pem(cluster, "certificate-authority"),
            certificate_pem=self._pem(user, "client-certificate"),
            key_pem=self._pem(user, "client-key"),
            token=self._token(user),
            tls_server_name=cluster.get("tls-server-name", ""),
            insecure=bool(cluster.get("insecure-skip-tls-verify", False)),
            source=self._path,
        )

    def users(self) -> dict[str, ClientConfig]:
        """Return every user, by name."""
        entries = self._document().get("users") or []
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise self._error("has users that are no list of mappings")
        found = {}
        for entry in entries:
            user = entry.get("user")
            user = user if isinstance(user, dict) else {}
            self._refuse(user, _UNSUPPORTED_USER)
            found[str(entry.get("name") or "")] = ClientConfig(
                server="https:",
                certificate_pem=self._pem(user, "client-certificate"),
                key_pem=self._pem(user, "client-key"),
                token=self._token(user),
                source=self._path,
            )
        return found

    def _document(self) -> dict[str, Any]:
        try:
            document = yaml.safe_load(self._read(self._path))
        except yaml.YAMLError as error:
            raise self._error(f"is not YAML ({' '.join(str(error).split())})") from error
        if not isinstance(document, dict):
            raise self._error("is not a kubeconfig")
        return document

    def _named(
        self, document: dict[str, Any], section: str, item: str, name: str
    ) -> dict[str, Any]:
        entries = document.get(section)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and entry.get("name") == name:
                found = entry.get(item)
                return found if isinstance(found, dict) else {}
        raise self._error(f"has no {item} named {name!r}: add it under {section}")

    def _server(self, cluster: dict[str, Any]) -> str:
        server = str(cluster.get("server", "")).rstrip("/")
        if not _is_url(server):
            raise self._error(f"has the server {server!r}: give a URL such as https://host:6443")
        return server

    def _pem(self, entry: dict[str, Any], name: str) -> bytes:
        if data := entry.get(f"{name}-data"):
            try:
                return base64.b64decode(str(data), validate=True)
            except (binascii.Error, ValueError) as error:
                raise self._error(f"has a {name}-data that is not base64") from error
        if path := entry.get(name):
            return self._read(self._path.parent / str(path))
        return b""

    def _token(self, user: dict[str, Any]) -> str:
        if user.get("token"):
            return str(user["token"])
        if path := user.get("tokenFile"):
            return self._read(self._path.parent / str(path)).decode(errors="replace").strip()
        return ""

    def _refuse(self, entry: dict[str, Any], unsupported: tuple[str, ...]) -> None:
        for name in unsupported:
            if entry.get(name):
                raise self._error(f"uses {name!r}, which is not supported: use certificates")

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}") from error

    def _error(self, text: str) -> ConfigError:
        return ConfigError(f"kubeconfig {self._path} {text}")
