"""The flags of service accounts' tokens, upstream's names: who signs, whom they are for, how long.

Source: the service account options of kube-apiserver v1.35.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from control_plane.apiserver.config_error import ConfigError
from control_plane.client.flags import boolean, seconds, whole_seconds

DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local"
# What a kubelet asks for pods; tokens of that length are good for a year, with a warning.
WARNED_SECONDS = 3607
EXTENDED_SECONDS = 365 * 24 * 3600
_LEAST, _MOST = 3600, 1 << 32


@dataclass(frozen=True, slots=True)
class ServiceAccountKeys:
    """What signs service-account tokens and what may have signed them.

    `issuer` is the one of new tokens, `issuers` are those that are believed besides. No token is
    good for more than `max_seconds`, 0 is no limit; `extends` is the year for pods' tokens.
    `jwks_uri` is where the keys are said to be, "" for this server itself.
    """

    issuer: str
    signing_key: Path
    public_keys: tuple[Path, ...]
    audiences: tuple[str, ...]
    issuers: tuple[str, ...] = ()
    max_seconds: int = 0
    extends: bool = True
    jwks_uri: str = ""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    add("--service-account-key-file", action="append", default=[], help="checks tokens; repeatable")
    add("--service-account-signing-key-file", required=True, help="signs tokens")
    add(
        "--service-account-issuer",
        action="append",
        default=[],
        help=f"issuer in tokens ({DEFAULT_ISSUER}); repeatable: those after the first are believed",
    )
    add("--service-account-jwks-uri", default="", help="where others find the keys (here)")
    add("--api-audiences", default="", metavar="NAME[,NAME]", help="default: the issuers")
    add(
        "--service-account-max-token-expiration",
        type=seconds,
        default=0.0,
        metavar="DURATION",
        help="the longest a token is good, from 1h on (no limit)",
    )
    for flag, text in (
        ("--service-account-extend-token-expiration", "pods' tokens of an hour last a year (true)"),
        ("--service-account-lookup", "true: tokens end with their service account"),
    ):
        add(flag, nargs="?", type=boolean, const=True, default=True, help=text)


def from_args(args: argparse.Namespace) -> ServiceAccountKeys:
    """Read parsed flags; raises ConfigError."""
    issuers = tuple(args.service_account_issuer) or (DEFAULT_ISSUER,)
    signing_key = Path(args.service_account_signing_key_file)
    keys = ServiceAccountKeys(
        issuer=issuers[0],
        signing_key=signing_key,
        public_keys=tuple(Path(path) for path in args.service_account_key_file) or (signing_key,),
        audiences=tuple(name for name in args.api_audiences.split(",") if name) or issuers,
        issuers=issuers[1:],
        max_seconds=whole_seconds(args.service_account_max_token_expiration),
        extends=args.service_account_extend_token_expiration,
        jwks_uri=args.service_account_jwks_uri,
    )
    if not args.service_account_lookup:
        raise ConfigError("--service-account-lookup=false is not supported: leave it out")
    _check_issuers(issuers)
    _check_life(keys)
    if keys.jwks_uri and urlsplit(keys.jwks_uri).scheme != "https":
        raise ConfigError(f"--service-account-jwks-uri {keys.jwks_uri!r}: give an https URL")
    return keys


def _check_issuers(issuers: tuple[str, ...]) -> None:
    flag = "--service-account-issuer"
    if "" in issuers or len(set(issuers)) < len(issuers):
        raise ConfigError(f"{flag}: name each issuer once")
    for issuer in issuers:
        try:
            _ = ":" in issuer and urlsplit(issuer)
        except ValueError as error:
            text = f"{flag} {issuer!r} contained a ':' but was not a valid URL: {error}"
            raise ConfigError(text) from error


def _check_life(keys: ServiceAccountKeys) -> None:
    flag = "--service-account-max-token-expiration"
    if not keys.max_seconds:
        return
    if not _LEAST <= keys.max_seconds <= _MOST:
        raise ConfigError(f"{flag}: it must be between 1 hour and 2^32 seconds")
    if keys.extends and keys.max_seconds < WARNED_SECONDS:
        raise ConfigError(
            f"{flag}: with --service-account-extend-token-expiration it must be longer than "
            f"{WARNED_SECONDS} seconds (currently {keys.max_seconds})"
        )
