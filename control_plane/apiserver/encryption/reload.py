"""Reads the EncryptionConfiguration again when its file has changed.

A file that cannot be used changes nothing; that is logged once. Keys are looked for every
SECONDS_BETWEEN_LOOKS, so that a rotation needs no restart.
"""

import asyncio
import logging
from pathlib import Path

from control_plane.apiserver.encryption.configuration import ConfigurationError, rules_of
from control_plane.apiserver.encryption.encryption import Encryption
from control_plane.apiserver.encryption.options import EncryptionOptions

SECONDS_BETWEEN_LOOKS = 0.5

logger = logging.getLogger(__name__)


class Reload:
    """Keeps `encryption` as the file at `path` says."""

    def __init__(self, path: Path, encryption: Encryption, content: bytes) -> None:
        """`content` is what `encryption` was made of."""
        self._path = path
        self._encryption = encryption
        self._content = content

    async def run(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            await self._look()

    async def _look(self) -> None:
        try:
            content = await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            if self._content:
                logger.error("encryption configuration gone path=%s: %s", self._path, error)
            self._content = b""
            return
        if content == self._content:
            return
        self._content = content
        try:
            self._encryption.adopt(rules_of(content))
        except ConfigurationError as error:
            logger.error("encryption configuration not used path=%s: %s", self._path, error)
        else:
            logger.info("encryption configuration read again path=%s", self._path)


def encryption_of(
    options: EncryptionOptions | None,
) -> tuple[Encryption | None, Reload | None]:
    """The encryption that is asked for, and what keeps it current; raises ValueError."""
    if options is None:
        return None, None
    content, rules = options.read()
    encryption = Encryption(rules)
    return encryption, Reload(options.path, encryption, content) if options.reloads else None
