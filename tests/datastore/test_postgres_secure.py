"""PostgreSQL over TLS and with passwords: what is verified, and what nobody gets to see."""

import os
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.errors import ConfigError
from datastore.tools.check import check
from tests.datastore.core import Core
from tests.datastore.test_refusals import refused
from tests.support.certificates import Authority, Pair
from tests.support.datastore import Datastore
from tests.support.ports import free_port
from tests.support.postgres import OWNER, Postgres

PASSWORD = "s3cr3t/pass@word:%"
QUOTED = "s3cr3t%2Fpass%40word%3A%25"
RULES = """
host all postgres 127.0.0.1/32 trust
hostssl all certified 127.0.0.1/32 cert
hostssl all ciphered 127.0.0.1/32 scram-sha-256
host all known 127.0.0.1/32 scram-sha-256
"""


class Secure(NamedTuple):
    """A cluster with TLS, who signed its certificate, and a user's certificate."""

    cluster: Postgres
    authority: Authority
    stranger: Authority
    user: Pair

    def url(self, user: str, **parameters: object) -> str:
        """Return the URL of the one database for a user."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{user}@localhost:{self.cluster.port}/store?hostaddr=127.0.0.1&{query}"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    directory = tmp_path_factory.mktemp("secure")
    authority, stranger = Authority(directory), Authority(directory, "stranger")
    server, user = authority.issue("db", ["localhost"]), authority.issue("certified")
    user.key.chmod(0o600)
    with tempfile.TemporaryDirectory(prefix="tapir-tls-") as theirs:
        settings = given(Path(theirs), server, authority)
        with Postgres(ssl="on", **settings) as cluster:
            with psycopg.connect(cluster.url("store"), autocommit=True) as admin:
                for name in ("certified", "ciphered", "known"):
                    admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'".encode())
                    admin.execute(f"CREATE SCHEMA {name} AUTHORIZATION {name}".encode())
            yield Secure(cluster, authority, stranger, user)


def given(theirs: Path, server: Pair, authority: Authority) -> dict[str, str]:
    """Give PostgreSQL's user, who is another, what it needs; return the settings that name it."""
    (theirs / "rules").write_text(RULES)
    names = {"ssl_cert_file": server.certificate, "ssl_key_file": server.key,
             "ssl_ca_file": authority.certificate}  # fmt: skip
    settings = {name: str(shutil.copy(path, theirs)) for name, path in names.items()}
    for path in (theirs, *theirs.iterdir()):
        if os.geteuid() == 0:
            shutil.chown(path, OWNER)
        path.chmod(0o700 if path.is_dir() else 0o600)
    return {**settings, "hba_file": str(theirs / "rules")}


def refusal(url: str) -> str:
    """Return why a store cannot be opened, which is what the command line prints."""
    with pytest.raises(ConfigError) as refused:
        new_backend(url, Identity("test", ())).open()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def in_use(core: Core) -> bool:
    """Say whether a core's connections are encrypted."""
    with core.session.transaction() as tx:
        sql = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
        found = tx.run(sql + "WHERE usename = current_user")  # type: ignore[attr-defined]
    return bool(found[0][0])


def test_a_server_and_its_user_know_each_other_by_certificates(secure: Secure) -> None:
    url = secure.url(
        "certified",
        sslmode="verify-full",
        sslrootcert=secure.authority.certificate,
        sslcert=secure.user.certificate,
        sslkey=secure.user.key,
    )
    with Core(url) as core:
        assert in_use(core)
    assert list(check(url)) == []


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"sslmode": "verify-full", "sslrootcert": "stranger"}, "certificate verify failed"),
        ({"sslmode": "verify-ca", "sslrootcert": "stranger"}, "certificate verify failed"),
        ({"sslmode": "verify-full", "sslrootcert": "absent.crt"}, "absent.crt"),
        ({"sslmode": "require"}, "certificate"),  # the user shows none
        ({"sslmode": "disable"}, "no encryption"),
        ({"sslmode": "certainly"}, "certainly"),
    ],
)
def test_what_cannot_be_verified_is_refused(
    secure: Secure, parameters: dict[str, str], said: str
) -> None:
    if parameters.get("sslrootcert") == "stranger":
        parameters = {**parameters, "sslrootcert": str(secure.stranger.certificate)}

    assert said in refusal(secure.url("certified", **parameters))


def test_a_name_that_the_certificate_has_not_is_refused(secure: Secure) -> None:
    parameters = {"sslmode": "verify-full", "sslrootcert": str(secure.authority.certificate)}
    url = secure.url("ciphered", **parameters).replace("localhost", "elsewhere")

    assert "elsewhere" in refusal(url)


def test_a_password_in_a_file_is_seen_nowhere(secure: Secure, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    metrics = f"http://127.0.0.1:{free_port()}"
    url = secure.url("ciphered", sslmode="verify-full", sslrootcert=secure.authority.certificate)
    flags = ["--endpoint-password-file", str(file), "--listen-metrics-urls", metrics]
    with Datastore(url, [*flags, "--log-level", "debug"]) as server:
        line = Path(f"/proc/{server.pid}/cmdline").read_text()
        with urllib.request.urlopen(f"{metrics}/metrics", timeout=60) as answer:
            exported = answer.read().decode()
        log = server.log.read_text()

    assert "tls=on" in log
    assert "s3cr3t" not in line + exported + log


def test_a_password_on_the_command_line_is_warned_of(secure: Secure) -> None:
    with Datastore(secure.url("known").replace("known@", f"known:{QUOTED}@")) as server:
        log = server.log.read_text()

    assert re.search("WARN.*password in flag=--endpoint", log)
    assert "s3cr3t" not in log


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://known:wr0ng%2Fone@127.0.0.1:{port}/store",
        "postgresql://known@127.0.0.1:{port}/store?password=wr0ng",
        "postgresql://127.0.0.1:{port}/store?user=known&password=wr0ng&sslpassword=wr0ng",
        "postgresql://known:wr0ng@127.0.0.1:{port}/store?nonsense=1",
        "postgresql://known:wr0ng@127.0.0.1:{port}/store?connect_timeout=wr",
        "postgresql://known:wr0ng@127.0.0.1:{port}/store?schema=a b",
        "postgresql://known:wr0ng@127.0.0.1:port/store",
        "postgresql//known:wr0ng@127.0.0.1/store",
        "postgresql://known:wr0ng@one:1,two:2/store",
        "postgresql://known:wr0ng@[::1/store",
    ],
)
def test_a_refusal_does_not_say_the_password(secure: Secure, form: str) -> None:
    assert "wr0ng" not in refusal(form.replace("{port}", str(secure.cluster.port)))


@pytest.mark.parametrize(("text", "said"), [("", "no more"), ("a\nb\n", "no more"), (None, "No")])
def test_a_password_file_that_is_none_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "password"
    if text is not None:
        file.write_text(text)

    told = refused("--endpoint", "postgresql://u@h/d", "--endpoint-password-file", str(file))

    assert str(file) in told
    assert said in told
