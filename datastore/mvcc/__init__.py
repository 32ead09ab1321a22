"""MEANING: revisions, Txn evaluation, watch hub, lessor, compaction. Knows neither grpc nor SQL."""
