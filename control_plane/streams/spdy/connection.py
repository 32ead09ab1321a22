"""What the frames of one connection mean: which streams there are, what may be sent, what is wrong.

No input or output: `receive` takes bytes that have arrived and returns events; whatever has to be
sent gathers in `take_outgoing`. A peer that breaks the protocol makes SpdyError, after which
`take_outgoing` has a GOAWAY that says so.

Windows: what is received is acknowledged as it is consumed. What is sent is held to the peer's
windows once it has spoken of them (SETTINGS or WINDOW_UPDATE); the library of Kubernetes' own
clients never does, and never acknowledges anything. Its data is not held to our windows either: a
reader that does not keep up stops the connection (session.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from control_plane.streams.spdy import errors, frames
from control_plane.streams.spdy.errors import SpdyError

INITIAL_WINDOW = 65_536
MAX_WINDOW = 0x7FFF_FFFF
MAX_STREAMS = 1_000
_SETTING_INITIAL_WINDOW = 7
_ACKNOWLEDGE_FROM = INITIAL_WINDOW // 2


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """The peer opened a stream; it waits for `reply`."""

    stream: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StreamReplied:
    """The peer accepted a stream of ours."""

    stream: int


@dataclass(frozen=True, slots=True)
class DataReceived:
    """Data of a stream, never empty."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The peer will send nothing more on a stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class StreamGone:
    """A stream was reset."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class WindowChanged:
    """More may be sent than before, somewhere."""


Event = StreamOpened | StreamReplied | DataReceived | StreamEnded | StreamGone | WindowChanged


@dataclass(slots=True)
class _Stream:
    """A stream that is open in at least one direction."""

    we_send: bool = True
    they_send: bool = True
    window: int = INITIAL_WINDOW
    unacknowledged: int = 0


class SpdyConnection:
    """One end of a connection; `client` is the end that opens streams with odd numbers."""

    def __init__(self, *, client: bool = False) -> None:
        """Begin; nothing is sent at first."""
        self._ours = 1 if client else 0  # our streams' and pings' numbers modulo 2
        self._next = 1 if client else 2
        self._last_of_theirs = 0
        self._streams: dict[int, _Stream] = {}
        self._reader, self._writer = frames.FrameReader(), frames.FrameWriter()
        self._outgoing: list[bytes] = []
        self._peer_has_windows = False
        self._initial_window = INITIAL_WINDOW
        self._window, self._unacknowledged = INITIAL_WINDOW, 0
        self._to_acknowledge: set[int] = set()  # streams whose window has to grow

    @property
    def answers(self) -> int:
        """How many frames wait to be sent; a peer that asks and never reads makes them many."""
        return len(self._outgoing)

    def take_outgoing(self) -> bytes:
        """What is to be sent now, in order; b"" for nothing."""
        self._acknowledge()
        outgoing = b"".join(self._outgoing)
        self._outgoing.clear()
        return outgoing

    def knows(self, number: int) -> bool:
        """Whether a stream is open in a direction."""
        return number in self._streams

    def receive(self, data: bytes) -> list[Event]:
        """What bytes from the peer bring; raises SpdyError."""
        events: list[Event] = []
        try:
            for frame in self._reader.feed(data):
                self._take(frame, events)
        except SpdyError:
            self.go_away(errors.PROTOCOL_ERROR)
            raise
        return events

    def open(self, headers: Mapping[str, str], *, fin: bool = False) -> int:
        """Open a stream and return its number; `fin` when nothing will be sent on it."""
        number, self._next = self._next, self._next + 2
        self._streams[number] = _Stream(we_send=not fin, window=self._initial_window)
        self._outgoing.append(self._writer.syn_stream(number, headers, fin=fin))
        return number

    def reply(self, number: int) -> None:
        """Accept a stream of the peer's; it sends nothing before."""
        self._outgoing.append(self._writer.syn_reply(number, {}))

    def sendable(self, number: int) -> int:
        """How many bytes may be sent on a stream now; 0 on one that is closed for sending."""
        stream = self._streams.get(number)
        if stream is None or not stream.we_send:
            return 0
        if not self._peer_has_windows:
            return frames.MAX_DATA_BYTES
        return max(0, min(frames.MAX_DATA_BYTES, stream.window, self._window))

    def send(self, number: int, data: bytes, *, fin: bool = False) -> None:
        """Send no more than `sendable` bytes, and close our half with `fin`; nothing if closed."""
        stream = self._streams.get(number)
        if stream is None or not stream.we_send:
            return
        stream.window -= len(data)
        self._window -= len(data)
        stream.we_send = not fin
        self._outgoing.append(frames.data_frame(number, data, fin=fin))
        self._forget_if_closed(number)

    def reset(self, number: int, status: int = errors.CANCEL) -> None:
        """Give a stream up; nothing if it is closed in both directions."""
        if self._streams.pop(number, None) is not None:
            self._outgoing.append(frames.rst_stream(number, status))

    def ping(self, number: int) -> None:
        """Ask the peer for a sign of life; `number` is odd for a client."""
        self._outgoing.append(frames.ping(number))

    def go_away(self, status: int = errors.OK) -> None:
        """Tell the peer that the connection ends."""
        self._outgoing.append(frames.go_away(self._last_of_theirs, status))

    def consumed(self, number: int, size: int) -> None:
        """`size` bytes of what was received need no room any more; number 0 for no stream."""
        self._unacknowledged += size
        stream = self._streams.get(number)
        if stream is not None and stream.they_send:
            stream.unacknowledged += size
            if stream.unacknowledged >= _ACKNOWLEDGE_FROM:
                self._to_acknowledge.add(number)

    def _acknowledge(self) -> None:
        if self._unacknowledged >= _ACKNOWLEDGE_FROM:
            self._outgoing.append(frames.window_update(0, self._unacknowledged))
            self._unacknowledged = 0
        for number in self._to_acknowledge:
            stream = self._streams.get(number)
            if stream is not None and stream.they_send:
                self._outgoing.append(frames.window_update(number, stream.unacknowledged))
                stream.unacknowledged = 0
        self._to_acknowledge.clear()

    def _take(self, frame: frames.Frame, events: list[Event]) -> None:
        match frame:
            case frames.Data():
                self._take_data(frame, events)
            case frames.SynStream():
                self._take_stream(frame, events)
            case frames.SynReply():
                self._take_reply(frame, events)
            case frames.RstStream():
                if self._streams.pop(frame.stream, None) is not None:
                    events.append(StreamGone(frame.stream, frame.status))
            case frames.Ping():
                if frame.number % 2 != self._ours:
                    self._outgoing.append(frames.ping(frame.number))
            case frames.Settings() | frames.WindowUpdate():
                self._take_window(frame)
                events.append(WindowChanged())
            case frames.GoAway():
                pass  # its streams go on; what follows is the end of the connection

    def _take_stream(self, frame: frames.SynStream, events: list[Event]) -> None:
        number = frame.stream
        if number % 2 == self._ours or number <= self._last_of_theirs:
            raise SpdyError(f"stream {number} cannot be opened after {self._last_of_theirs}")
        self._last_of_theirs = number
        if len(self._streams) >= MAX_STREAMS:
            self._outgoing.append(frames.rst_stream(number, errors.REFUSED_STREAM))
            return
        self._streams[number] = _Stream(they_send=not frame.fin, window=self._initial_window)
        events.append(StreamOpened(number, frame.headers))
        if frame.fin:
            events.append(StreamEnded(number))

    def _take_reply(self, frame: frames.SynReply, events: list[Event]) -> None:
        if frame.stream in self._streams:
            events.append(StreamReplied(frame.stream))
            self._take_fin(frame.stream, frame.fin, events)

    def _take_data(self, frame: frames.Data, events: list[Event]) -> None:
        stream = self._streams.get(frame.stream)
        if stream is None or not stream.they_send:
            self.consumed(0, len(frame.data))  # sent before the peer knew of the end
            return
        if frame.data:
            events.append(DataReceived(frame.stream, frame.data))
        self._take_fin(frame.stream, frame.fin, events)

    def _take_fin(self, number: int, fin: bool, events: list[Event]) -> None:
        stream = self._streams[number]
        if fin and stream.they_send:
            stream.they_send = False
            self._forget_if_closed(number)
            events.append(StreamEnded(number))

    def _take_window(self, frame: frames.Settings | frames.WindowUpdate) -> None:
        self._peer_has_windows = True
        if isinstance(frame, frames.Settings):
            self._take_initial_window(frame.values.get(_SETTING_INITIAL_WINDOW))
        elif frame.stream == 0:
            self._window = _grown(self._window, frame.delta)
        elif stream := self._streams.get(frame.stream):
            stream.window = _grown(stream.window, frame.delta)

    def _take_initial_window(self, size: int | None) -> None:
        """Streams that are open already grow or shrink with it, as the protocol says."""
        if size is None:
            return
        if size > MAX_WINDOW:
            raise SpdyError(f"an initial window of {size} bytes")
        for stream in self._streams.values():
            stream.window += size - self._initial_window
        self._initial_window = size

    def _forget_if_closed(self, number: int) -> None:
        stream = self._streams[number]
        if not (stream.we_send or stream.they_send):
            del self._streams[number]


def _grown(window: int, delta: int) -> int:
    if delta == 0 or window + delta > MAX_WINDOW:
        raise SpdyError(f"a window of {window} bytes cannot grow by {delta}")
    return window + delta
