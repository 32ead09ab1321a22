"""How fast the API server is, beside a server that does nothing but answer over the same TLS."""
