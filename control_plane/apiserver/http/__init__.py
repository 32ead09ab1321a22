"""HTTP: connections, requests, content negotiation, answers and watch streams."""
