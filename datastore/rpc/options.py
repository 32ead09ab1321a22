"""What the gRPC listeners are told by flags; `config.py` makes it, both fronts obey it."""

from __future__ import annotations

from dataclasses import dataclass

INT_MAX = (1 << 31) - 1  # to gRPC: for ever, or without limit

NO_LIMIT = (1 << 32) - 1  # of streams, in HTTP/2; what Go takes 0 for


@dataclass(frozen=True, slots=True)
class GrpcOptions:
    """Bytes and seconds; `keepalive_interval` 0 is no pings."""

    front: str = "auto"
    max_request_bytes: int = 1_572_864
    max_streams: int = NO_LIMIT
    keepalive_interval: float = 7200.0
    keepalive_timeout: float = 20.0
    reuse_port: bool = False

    @property
    def keepalive_ms(self) -> int:
        """Milliseconds between pings to a silent client."""
        return min(round(self.keepalive_interval * 1000), INT_MAX) or INT_MAX

    @property
    def keepalive_timeout_ms(self) -> int:
        """Milliseconds that a pinged client may take."""
        return min(round(self.keepalive_timeout * 1000), INT_MAX) or INT_MAX
