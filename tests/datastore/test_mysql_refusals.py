"""What MariaDB must be, whom it lets in, and what nobody gets to see: URLs, TLS, refusals."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy.engine import make_url

from datastore.backends import new_backend
from datastore.backends.endpoint_url import parse
from datastore.backends.identity import Identity
from datastore.backends.mysql_target import target_of
from datastore.backends.mysql_upkeep import fill
from datastore.errors import ConfigError, StartError
from datastore.mvcc.model import Put
from datastore.tools.check import check
from tests.datastore.core import Core
from tests.support.certificates import Authority, Pair
from tests.support.mariadb import OWNER, Mariadb
from tests.support.ports import free_port

PASSWORD = "s3cr3t/pass@word:%'"
QUOTED = "s3cr3t%2Fpass%40word%3A%25%27"
LARGEST = 3 << 19


def refused(url: str, largest: int = LARGEST) -> str:
    """Return why a store does not open; nothing secret may be in it."""
    with pytest.raises(ConfigError) as refusal:
        new_backend(url, Identity("test", (), (), largest)).open()
    said = str(refusal.value)
    assert "s3cr3t" not in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("mysql://u@h", "names no database"),
        ("mysql://u:s3cr3t@tcp(h:3306)/d", "give mysql://USER:PASSWORD@HOST:PORT/DATABASE"),
        ("mysql://u:s3cr3t@h/d?charset=utf8", "there is no parameter charset: give unix_socket"),
        ("mysql://u:s3cr3t@h:1,i:x/d", "a port is no number"),
        ("mysql://u:s3cr3t@h/d?table_prefix=t_", "tables have no prefix: a store needs a database"),
        ("mysql://u:s3cr3t@h/d?ssl_mode=maybe", "ssl_mode is none of DISABLED"),
        ("mysql://u:s3cr3t@h/d?ssl_ca=/nowhere/ca.crt", "TLS with /nowhere/ca.crt: "),
    ],
)
def test_a_wrong_url_is_named(url: str, named: str) -> None:
    assert named in refused(url)


def test_a_url_has_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_PWD", PASSWORD)
    target = target_of(make_url("mysql://u@h/d"))

    assert (target.nodes, target.user, target.database) == ((("h", 3306),), "u", "d")
    assert (target.password, target.tls is None, target.tls_needed) == (PASSWORD, False, False)
    assert PASSWORD not in target.name


def test_a_url_may_have_several_hosts() -> None:
    url = parse("mysql://u:s3cr3t@a:3307,b,[::1]:3308/d?ssl_mode=DISABLED", ["mysql"])
    target = target_of(url)

    assert target.nodes == (("a", 3307), ("b", 3306), ("::1", 3308))
    assert (target.user, target.password, target.database) == ("u", "s3cr3t", "d")
    assert "s3cr3t" not in target.name


def test_the_first_host_that_serves_is_taken(mariadb: Mariadb) -> None:
    alone = mariadb.url("several")
    nowhere = f"127.0.0.1:{free_port()}"
    with Core(alone.replace("@", f"@{nowhere},")) as core:
        core.commit(Put(b"a", b"1"))
    said = refused(f"mysql://root@{nowhere},127.0.0.1:{mariadb.port}/absent")

    assert nowhere in said
    assert "Unknown database 'absent'" in said


def test_a_foreign_database_is_kept(mariadb: Mariadb) -> None:
    url = mariadb.url("foreign")
    mariadb.run("CREATE TABLE recipes (name TEXT)", database="foreign")

    assert "recipes" in refused(url)
    assert mariadb.run("SHOW TABLES", database="foreign") == (("recipes",),)


def test_a_newer_database_is_refused(mariadb: Mariadb) -> None:
    url = mariadb.url("newer")
    with Core(url):
        pass
    mariadb.run("UPDATE tapir_schema SET version_num = '9999'", database="newer")

    assert "has schema 9999" in refused(url)


def test_a_database_that_refuses_the_user_is_named(mariadb: Mariadb) -> None:
    url = mariadb.url("refused").replace("root@", "nobody-here:s3cr3t-word@")

    assert "nobody-here" in refused(url)


def test_a_user_who_may_not_make_tables_is_told_what_to_do(mariadb: Mariadb) -> None:
    url = mariadb.url("guarded")
    mariadb.run("CREATE USER guest@'%'", "GRANT SELECT ON guarded.* TO guest@'%'")

    said = refused(url.replace("root@", "guest@"))

    assert "CREATE command denied" in said
    assert "grant the user all privileges on the database" in said
    assert mariadb.run("SHOW TABLES", database="guarded") == ()


def test_who_restores_without_the_rights_is_told_what_to_do(mariadb: Mariadb) -> None:
    url = mariadb.url("unfilled")
    mariadb.run("CREATE USER mover@'%'", "GRANT SELECT ON unfilled.* TO mover@'%'")
    target = target_of(make_url(url.replace("root@", "mover@")))

    with pytest.raises(StartError, match="grant the user all privileges on the database"):
        fill(target, lambda path: path.touch())


def test_a_user_with_rights_on_its_database_alone_will_do(mariadb: Mariadb) -> None:
    url = mariadb.url("owned")
    mariadb.run(
        "CREATE USER owner@'%' IDENTIFIED BY 'it''s'",
        "GRANT ALL PRIVILEGES ON owned.* TO owner@'%'",
    )
    with Core(url.replace("root@", "owner:it%27s@")) as core:
        core.commit(Put(b"a", b"1"))
        assert core.session.size().allocated > 0


def test_a_database_that_is_not_there_is_named(mariadb: Mariadb) -> None:
    assert "Unknown database" in refused(mariadb.url("x").replace("/x", "/nowhere"))
    port = free_port()
    assert f"127.0.0.1:{port}" in refused(f"mysql://root@127.0.0.1:{port}/x")


def test_requests_that_the_database_would_not_take_are_known_at_the_start(mariadb: Mariadb) -> None:
    said = refused(mariadb.url("small"), 100 << 20)

    assert "max_allowed_packet" in said
    assert "--max-request-bytes" in said
    assert mariadb.run("SHOW TABLES", database="small") == ()


def test_a_unix_socket_will_do(mariadb: Mariadb) -> None:
    mariadb.url("local")
    with Core(f"mysql://root@/local?unix_socket={mariadb.socket}") as core:
        core.commit(Put(b"a", b"1"))
        assert core.revision() == 2


class Secure(NamedTuple):
    """A server with TLS, who signed its certificate, and a user's certificate."""

    server: Mariadb
    authority: Authority
    stranger: Authority
    user: Pair

    def url(self, user: str, **parameters: object) -> str:
        """Return the URL of the one database for a user."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"mysql://{user}@localhost:{self.server.port}/store?{query}"


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    directory = tmp_path_factory.mktemp("secure")
    authority, stranger = Authority(directory), Authority(directory, "stranger")
    pair, user = authority.issue("db", ["localhost"]), authority.issue("certified")
    with tempfile.TemporaryDirectory(prefix="tapir-tls-") as theirs:
        names = {"ssl_cert": pair.certificate, "ssl_key": pair.key,
                 "ssl_ca": authority.certificate}  # fmt: skip
        settings = {name: str(shutil.copy(path, theirs)) for name, path in names.items()}
        for path in (Path(theirs), *Path(theirs).iterdir()):
            if os.geteuid() == 0:
                shutil.chown(path, OWNER)
        with Mariadb(**settings) as server:
            server.url("store")
            quoted = PASSWORD.replace("'", "''")
            for name, need in (("certified", "X509"), ("ciphered", "SSL")):
                server.run(
                    f"CREATE USER {name}@'%' IDENTIFIED BY '{quoted}' REQUIRE {need}",
                    f"GRANT ALL PRIVILEGES ON store.* TO {name}@'%'",
                )
            yield Secure(server, authority, stranger, user)


def test_the_database_is_verified_and_the_client_shows_its_certificate(secure: Secure) -> None:
    url = secure.url(
        f"certified:{QUOTED}",
        ssl_ca=secure.authority.certificate,
        ssl_cert=secure.user.certificate,
        ssl_key=secure.user.key,
    )
    with Core(url) as core:
        core.commit(Put(b"a", b"1"))
        assert core.revision() > 1
    assert list(check(url)) == []
    assert "Access denied" in refused(
        secure.url(f"certified:{QUOTED}", ssl_ca=secure.authority.certificate)
    )


def test_each_mode_asks_as_much_as_it_says(secure: Secure) -> None:
    user = f"ciphered:{QUOTED}"
    with Core(secure.url(user)), Core(secure.url(user, ssl_mode="REQUIRED")):
        pass
    theirs, ours = secure.stranger.certificate, secure.authority.certificate
    named = secure.url(user, ssl_ca=ours, ssl_mode="VERIFY_CA").replace("localhost", "127.0.0.1")
    with Core(named):
        pass

    assert "verify failed" in refused(secure.url(user, ssl_ca=theirs))
    assert "127.0.0.1" in refused(named.replace("VERIFY_CA", "VERIFY_IDENTITY"))
    assert "Access denied" in refused(secure.url(user, ssl_mode="DISABLED"))


def test_a_server_without_tls_is_refused_where_tls_is_needed(mariadb: Mariadb) -> None:
    if mariadb.is_mysql:
        pytest.skip("MySQL makes itself a certificate")
    assert "SSL" in refused(mariadb.url("plain") + "?ssl_mode=REQUIRED")
