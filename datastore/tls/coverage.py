"""Which URLs the TLS flags count for: nobody shall believe in a check that nobody makes.

A rule about clients that no URL of theirs keeps is refused, where etcd serves everybody. A URL in
the clear beside one with TLS is legal, and is named in the log, as etcd does it. URLs of metrics
are often meant to be in the clear (kubeadm's are), and are not named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.addresses import ListenUrl
    from datastore.tls.options import TlsOptions

Note = tuple[str, str, str]  # level, message with one %s, what to put there
CLEAR = "certificate and key do not count for a URL without TLS url=%s"
UNASKED = "clients are not asked for certificates at a URL without TLS url=%s"
IDLE = "accepted without effect, no URL speaks TLS flags=%s"


def check(options: TlsOptions, clients: Sequence[ListenUrl], metrics: Sequence[ListenUrl]) -> None:
    """Raise ConfigError for a URL without its certificate, or a rule that no client's URL keeps."""
    secure = [url for url in (*clients, *metrics) if url.secure]
    if secure and not options.given:
        raise ConfigError(
            f"TLS key/cert (--cert-file, --key-file) must be provided for {secure[0].url}"
        )
    if options.client_rules and not any(url.secure for url in clients):
        raise ConfigError(
            f"{', '.join(options.client_rules)}: no URL for clients speaks TLS, so no client would "
            "be asked for a certificate: write https:// in --listen-client-urls, or leave them out"
        )


def notes(options: TlsOptions, urls: Sequence[ListenUrl]) -> tuple[Note, ...]:
    """Return what the log should say of URLs for clients, by what does not count for them."""
    clear = [url.url for url in urls if not url.secure]
    said = [("warn", CLEAR, url) for url in clear if options.given]
    said += [("warn", UNASKED, url) for url in clear if options.asks_clients]
    if options.handshake_rules and len(clear) == len(urls):
        said.append(("warn", IDLE, ",".join(options.handshake_rules)))
    return tuple(said)
