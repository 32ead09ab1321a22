"""The API server's flags of encryption at rest, upstream's names."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from control_plane.apiserver.encryption.configuration import ConfigurationError, Rule, rules_of
from control_plane.client.flags import boolean

FILE_FLAG = "--encryption-provider-config"


@dataclass(frozen=True, slots=True)
class EncryptionOptions:
    """The EncryptionConfiguration file, and whether it is read again when it changes."""

    path: Path
    reloads: bool = False

    def read(self) -> tuple[bytes, tuple[Rule, ...]]:
        """Return the file and what it says; raises ValueError of one line that names it."""
        try:
            content = self.path.read_bytes()
            return content, rules_of(content)
        except OSError as error:
            text = f"{error.strerror}: give a file that can be read"
            raise ValueError(f"{FILE_FLAG} {self.path}: {text}") from error
        except ConfigurationError as error:
            raise ValueError(f"{FILE_FLAG} {self.path}: {error}") from error


def add_encryption_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        FILE_FLAG,
        default="",
        metavar="FILE",
        help="EncryptionConfiguration: what seals which resources in the store",
    )
    parser.add_argument(
        f"{FILE_FLAG}-automatic-reload",
        nargs="?",
        type=boolean,
        const=True,
        default=False,
        metavar="true|false",
        help="read that file again when it changes",
    )


def encryption_options(args: argparse.Namespace) -> EncryptionOptions | None:
    """Read parsed flags; None where nothing is to be encrypted. Raises ValueError."""
    path, reloads = (
        args.encryption_provider_config,
        args.encryption_provider_config_automatic_reload,
    )
    if path:
        return EncryptionOptions(Path(path), reloads)
    if reloads:
        raise ValueError(f"{FILE_FLAG}-automatic-reload: name the file with {FILE_FLAG}")
    return None
