"""What goes wrong with a SPDY connection, and the codes that tell the peer."""

OK = 0
PROTOCOL_ERROR = 1
INVALID_STREAM = 2
REFUSED_STREAM = 3
CANCEL = 5
FLOW_CONTROL_ERROR = 7
STREAM_ALREADY_CLOSED = 9


class SpdyError(Exception):
    """The peer broke the protocol; the connection cannot be used any longer."""


class StreamClosedError(ConnectionError):
    """The peer has reset the stream, or the connection is gone: nobody reads what is written."""
