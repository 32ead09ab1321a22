"""Cipher suites: Go's names, which etcd's flag takes, and OpenSSL's, which Python and gRPC take.

They are TLS 1.2's; those of TLS 1.3 cannot be chosen in Go either. gRPC reads its list from the
environment when it is loaded, so `prepare_grpc` has to run before the first `import grpc`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.tls.options import TlsOptions

VARIABLE = "GRPC_SSL_CIPHER_SUITES"
NAMES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
}
TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
# Needs a key shared in advance, which nobody has: with it alone no TLS 1.2 handshake succeeds.
NEVER_IN_12 = "ECDHE-PSK-AES128-CBC-SHA"


def openssl_names(suites: Sequence[str]) -> list[str]:
    """Return OpenSSL's names of TLS 1.2 suites; ConfigError names one that there is not."""
    for suite in suites:
        if suite not in NAMES and suite not in TLS13:
            raise ConfigError(
                f"--cipher-suites {suite!r} is not supported: write some of {', '.join(NAMES)}"
            )
    return list(dict.fromkeys(NAMES[suite] for suite in suites if suite in NAMES))


def grpc_list(options: TlsOptions) -> str:
    """Return the value of gRPC's variable, "" for its own default.

    gRPC has no setting for the least version, but a server without a usable TLS 1.2 suite speaks
    TLS 1.3 alone.
    """
    if options.min_version == "TLS1.3":
        return NEVER_IN_12
    if not options.cipher_suites:
        return ""
    return ":".join(openssl_names(options.cipher_suites)) or NEVER_IN_12


def prepare_grpc(options: TlsOptions) -> None:
    """Fix the suites of gRPC's servers in this process; before gRPC is loaded."""
    if suites := grpc_list(options):
        os.environ[VARIABLE] = suites
    else:
        os.environ.pop(VARIABLE, None)


def check_grpc(options: TlsOptions) -> None:
    """Refuse to serve with other suites than those that were asked for."""
    if os.environ.get(VARIABLE, "") != grpc_list(options):
        raise ConfigError(
            "--cipher-suites and --tls-min-version need a process of their own: run "
            "`tapir datastore`"
        )
