"""SPDY/3.1: several streams over one connection.

    header_block   compression of headers, with the protocol's dictionary
    frames         bytes to frames and back
    connection     what frames mean: streams, windows, errors; no input or output
    session        streams that tasks read and write, over a wire

Source: SPDY protocol draft 3.1 of the Chromium project, and what Kubernetes clients make of it.
"""
