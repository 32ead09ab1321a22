"""The flags of authentication and authorization, upstream's names, as one frozen dataclass."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from control_plane.apiserver.auth.authentication_file import (
    Anonymous,
    AuthenticationFile,
    read_authentication,
    url_errors,
)
from control_plane.apiserver.auth.jwt_issuer import ALGORITHMS, JwtIssuer
from control_plane.apiserver.auth.request_header import RequestHeaders
from control_plane.apiserver.config_error import ConfigError
from control_plane.client.flags import boolean, seconds

MODES: Final = ("Node", "RBAC")
_REFUSED_MODES: Final = ("ABAC", "AlwaysAllow", "AlwaysDeny", "Webhook")
WEBHOOK_VERSIONS: Final = ("v1", "v1beta1")


@dataclass(frozen=True, slots=True)
class AuthConfig:
    """Who is believed, and who decides what they may do.

    `issuers` and `anonymous` are those of the flags; `file` replaces them. `request_headers` is
    None where no front proxy is believed.
    """

    modes: tuple[str, ...] = MODES
    anonymous: Anonymous = field(default_factory=Anonymous)
    file: Path | None = None
    issuers: tuple[JwtIssuer, ...] = ()
    token_file: Path | None = None
    bootstrap_tokens: bool = False
    webhook: Path | None = None
    webhook_version: str = "v1beta1"
    webhook_cache_seconds: float = 120.0
    request_headers: RequestHeaders | None = None

    def authentication(self, own_issuer: str) -> AuthenticationFile:
        """The issuers and the rule about nobody: those of the file as it is now, or of the flags.

        Raises ConfigError for a file that cannot be used.
        """
        if self.file is None:
            return AuthenticationFile(self.issuers, self.anonymous)
        found = read_authentication(self.file, own_issuer)
        return AuthenticationFile(found.issuers, found.anonymous or self.anonymous)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    add("--authorization-mode", default=",".join(MODES), metavar="MODE[,MODE]", help="Node, RBAC")
    add("--authorization-config", default="", help="not supported: use --authorization-mode")
    add(
        "--anonymous-auth",
        nargs="?",
        type=boolean,
        const=True,
        default=None,
        metavar="true|false",
        help="requests without credentials are system:anonymous (true)",
    )
    add("--authentication-config", default="", metavar="FILE", help="AuthenticationConfiguration")
    add("--token-auth-file", default="", metavar="FILE", help="lines of token,user,uid,groups")
    add(
        "--enable-bootstrap-token-auth",
        nargs="?",
        type=boolean,
        const=True,
        default=False,
        metavar="true|false",
        help="believe bootstrap tokens in kube-system",
    )
    add(
        "--authentication-token-webhook-config-file", default="", help="kubeconfig of a TokenReview"
    )
    add("--authentication-token-webhook-version", default="v1beta1", choices=WEBHOOK_VERSIONS)
    add("--authentication-token-webhook-cache-ttl", type=seconds, default=120.0, metavar="DURATION")
    _add_oidc(parser)
    add("--requestheader-client-ca-file", default="", help="CA of front proxies")
    add("--requestheader-allowed-names", default="", help="common names of front proxies")
    add("--requestheader-username-headers", default="X-Remote-User")
    add("--requestheader-uid-headers", default="X-Remote-Uid")
    add("--requestheader-group-headers", default="X-Remote-Group")
    add("--requestheader-extra-headers-prefix", default="X-Remote-Extra-")


def _add_oidc(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--oidc-issuer-url", default="", help="https URL of an OpenID issuer")
    add("--oidc-client-id", default="", help="the audience of its tokens")
    add("--oidc-ca-file", default="", help="CA of the issuer (default: the system's)")
    add("--oidc-username-claim", default="sub")
    add("--oidc-username-prefix", default="", help="- for none (default: the issuer and #)")
    add("--oidc-groups-claim", default="")
    add("--oidc-groups-prefix", default="")
    add("--oidc-signing-algs", default="RS256")
    add("--oidc-required-claim", action="append", default=[], metavar="CLAIM=VALUE")


def from_args(args: argparse.Namespace, own_issuer: str) -> AuthConfig:
    """Read parsed flags; raises ConfigError."""
    config = AuthConfig(
        modes=_modes(args),
        anonymous=Anonymous(args.anonymous_auth is not False),
        file=_optional(args.authentication_config),
        issuers=_issuers(args, own_issuer),
        token_file=_optional(args.token_auth_file),
        bootstrap_tokens=args.enable_bootstrap_token_auth,
        webhook=_optional(args.authentication_token_webhook_config_file),
        webhook_version=args.authentication_token_webhook_version,
        webhook_cache_seconds=args.authentication_token_webhook_cache_ttl,
        request_headers=_request_headers(args),
    )
    if config.file is not None and config.issuers:
        raise ConfigError("--authentication-config and --oidc-issuer-url: give one of them")
    found = config.authentication(own_issuer)
    speaks = config.file is not None and found.anonymous is not config.anonymous
    if speaks and args.anonymous_auth is not None:
        raise ConfigError("--anonymous-auth: --authentication-config speaks of anonymous too")
    return config


def _modes(args: argparse.Namespace) -> tuple[str, ...]:
    flag = "--authorization-mode"
    if args.authorization_config:
        raise ConfigError(f"--authorization-config is not supported: use {flag}")
    modes = tuple(mode.strip() for mode in args.authorization_mode.split(",") if mode.strip())
    for mode in modes:
        if mode in _REFUSED_MODES:
            raise ConfigError(f"{flag} {mode} is not supported: choose from {', '.join(MODES)}")
        if mode not in MODES:
            raise ConfigError(f"{flag} {mode} is unknown: choose from {', '.join(MODES)}")
    if not modes or len(set(modes)) < len(modes):
        raise ConfigError(f"{flag}: name each mode once, as in {','.join(MODES)}")
    return modes


def _issuers(args: argparse.Namespace, own_issuer: str) -> tuple[JwtIssuer, ...]:
    url = args.oidc_issuer_url
    if bool(url) != bool(args.oidc_client_id):
        raise ConfigError("--oidc-issuer-url and --oidc-client-id: give both or neither")
    if not url:
        return ()
    errors = list(url_errors(url, "--oidc-issuer-url", own_issuer))
    if errors:
        raise ConfigError(str(errors[0]))
    algorithms = tuple(args.oidc_signing_algs.split(","))
    if not set(algorithms) <= set(ALGORITHMS):
        raise ConfigError(f"--oidc-signing-algs: choose from {', '.join(ALGORITHMS)}")
    required = tuple(tuple(pair.partition("=")[::2]) for pair in args.oidc_required_claim)
    prefix, claim = args.oidc_username_prefix, args.oidc_username_claim
    default = "" if claim == "email" else f"{url}#"
    return (
        JwtIssuer(
            url=url,
            audiences=(args.oidc_client_id,),
            authority=_optional(args.oidc_ca_file) or "",
            algorithms=algorithms,
            required=required,
            username_claim=claim,
            username_prefix="" if prefix == "-" else prefix or default,
            groups_claim=args.oidc_groups_claim,
            groups_prefix=args.oidc_groups_prefix,
        ),
    )


def _request_headers(args: argparse.Namespace) -> RequestHeaders | None:
    authority = _optional(args.requestheader_client_ca_file)
    if authority is None:
        return None
    return RequestHeaders(
        authority,
        _listed(args.requestheader_allowed_names),
        _listed(args.requestheader_username_headers),
        _listed(args.requestheader_uid_headers),
        _listed(args.requestheader_group_headers),
        _listed(args.requestheader_extra_headers_prefix),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _optional(path: str) -> Path | None:
    return Path(path) if path else None
