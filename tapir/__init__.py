"""Tapir: etcd on the SQL database you already run, and a Kubernetes to run on it."""

import importlib.metadata

VERSION = importlib.metadata.version("tapir-kubernetes")
