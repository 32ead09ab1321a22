"""One file a schema version; the newest is what this program needs."""
