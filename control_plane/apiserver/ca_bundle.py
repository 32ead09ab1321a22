"""A caBundle of webhooks and APIServices: whom to trust when the server behind is called."""

import base64
import binascii
import ssl


def trusting(ca_bundle: str) -> ssl.SSLContext:
    """A context, the caller's own, that trusts the bundle alone; the system's roots for "".

    ValueError, in Go's words, for what is no certificate. Names are those of the subjectAltName.
    """
    try:
        pem = base64.b64decode(ca_bundle).decode() if ca_bundle else None
        context = ssl.create_default_context(cadata=pem)
    except (binascii.Error, UnicodeDecodeError, ssl.SSLError) as error:
        raise ValueError(
            "unable to load root certificates: unable to parse bytes as PEM block"
        ) from error
    context.hostname_checks_common_name = False
    return context
