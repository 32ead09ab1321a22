"""Other people's clients and test suites, run against the datastore."""
