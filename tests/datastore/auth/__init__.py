"""The pure parts of auth, and its requests in batches."""
