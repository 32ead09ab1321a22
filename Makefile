# Everything a person or CI does with this repository. `make help` lists it.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
CHECKED := control_plane datastore node tapir tests
# Tests wait more than they work, so four at a time suit two cores; 0: all in one process.
WORKERS ?= 4
# The servers that tests start over and over need not compile their modules each time.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/pytest \
	--numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder
PROTOS := proto/etcd/auth.proto proto/etcd/election.proto proto/etcd/kv.proto proto/etcd/lock.proto proto/etcd/rpc.proto
OPENAPI_PROTOS := control_plane/api/openapi/openapi_v2.proto control_plane/api/openapi/openapi_v3.proto
CEL_PROTO := control_plane/api/cel/syntax.proto

.DEFAULT_GOAL := help
.PHONY: help install up setup test servers lint types imports pytest contract conformance-apis mysql pooled differential storage-suite damage robustness availability informers growth client-go kubectl-verbs helm cert-manager fuzz compose fmt proto bench flags lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

install: $(VENV)/.installed ## create .venv and install Tapir into it, nothing more

up: $(VENV)/.installed ## create .venv, install, and run a cluster on data/
	@$(BIN)/tapir up

setup: $(VENV)/.tested ## create .venv with what development needs

test: setup servers ## install what the tests need and pass them all
	@$(MAKE) --no-print-directory -j2 pytest lint types imports  # the tests wait more than they work

servers: ## install the servers that tests talk to (Debian, as root)
	@tests/install-servers.sh

lint: setup ## format and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: setup ## mypy, strict
	@$(BIN)/mypy $(CHECKED)

imports: setup ## the arrows between packages
	@$(BIN)/lint-imports

pytest: setup ## the tests alone (TESTS=path for some of them)
	@$(BIN)/python -m tests.support.etcd || true  # builds the real etcd outside any test's time-out
	@$(PYTEST) $(TESTS)

# CI asks fronts, backends and stores only what they have a say in; this asks each of them everything.
contract: setup servers ## ask every front, backend and store all that is asked of one
	@$(BIN)/python -m tests.support.etcd || true
	@$(PYTEST) --every-target tests/contract tests/control_plane/apiserver tests/e2e

# CI asks an API server over SQLite, and some of it one over a real etcd.
conformance-apis: setup servers ## ask the API what upstream's conformance tests ask, on SQLite, PostgreSQL and etcd
	@$(BIN)/python -m tests.support.etcd || true
	@$(PYTEST) --every-target -m conformance tests/control_plane

pooled: setup servers ## ask PostgreSQL all contract tests through PgBouncer in transaction mode
	@$(PYTEST) --every-target --through-pgbouncer -k postgresql tests/contract

# Debian's releases have MariaDB; the newest MySQL comes from its unstable branch, into build/ alone.
mysql: setup servers ## ask a MySQL server all that MariaDB is asked (root, debootstrap)
	@$(BIN)/python -m tests.support.etcd || true
	@TAPIR_MYSQLD=$$(tests/install-mysql.sh build/mysql) && export TAPIR_MYSQLD && \
		$(PYTEST) --every-target -k "mysql or mariadb" tests/contract tests/datastore tests/tapir

differential: setup ## compare long random runs with a real etcd
	@$(BIN)/python -m tests.contract.differential --operations 100000 --seed 1 --target sqlite-native
	@$(BIN)/python -m tests.contract.differential --operations 100000 --seed 2 --target sqlite-grpcio

damage: setup ## damage stores and snapshots at random, two hundred rounds
	@$(BIN)/python -m tests.datastore.damage

robustness: setup servers ## kill servers and databases under load, twenty rounds each
	@$(BIN)/python -m tests.robustness

fuzz: setup ## send an API server a hundred thousand requests made of its OpenAPI documents and spoilt, credentials, definitions and webhooks' answers at random
	@$(PYTEST) --every-target tests/control_plane/api/test_junk_in_any_field.py
	@$(BIN)/python -m tests.fuzz

availability: setup servers ## kill one of several API servers under load, twenty rounds on each store
	@$(BIN)/python -m tests.availability

informers: setup servers ## keep informers an hour under churn on each store, and compare them with lists
	@$(BIN)/python -m tests.informers

growth: setup servers ## update a thousand keys for a day on each database, and measure what is left
	@$(BIN)/python -m tests.growth

storage-suite: setup ## run Kubernetes' own storage tests on our datastore (needs Go)
	@$(BIN)/python -m tests.clients.kubernetes_storage

client-go: setup ## use our API server with Kubernetes' own Go client, in protobuf (needs Go)
	@$(BIN)/python -m tests.clients.clientgo
	@$(BIN)/python -m tests.clients.clientgo.stored

kubectl-verbs: setup ## use every verb of kubectl (KUBECTL="PATH ..." for other releases)
	@$(BIN)/python -m tests.clients.kubectl_verbs $(KUBECTL)

helm: setup servers ## install, change, roll back, test and uninstall charts with Helm 3 and 4 (needs Go)
	@$(BIN)/python -m tests.clients.helm $(HELM)

cert-manager: setup ## install cert-manager in a whole cluster, use it and remove it (needs Go)
	@$(BIN)/python -m tests.clients.cert_manager

compose: setup ## bring every compose file up, and down and up again (root, debootstrap)
	@$(BIN)/python -m tests.compose

fmt: setup ## format in place
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

proto: setup ## regenerate the gRPC stubs
	@$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. --grpc_python_out=. $(PROTOS)
	@rm -f proto/etcd/kv_pb2_grpc.py proto/etcd/auth_pb2_grpc.py
	@$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. $(OPENAPI_PROTOS) $(CEL_PROTO)

bench: setup servers ## measure, beside a real etcd, and write docs/benchmarks.md
	@$(BIN)/python -m tests.bench

flags: setup ## write docs/reference/ from the flags and the protocol
	@$(BIN)/python -m tests.flags_page
	@$(BIN)/python -m tests.api_page
	@$(BIN)/python -m tests.kubernetes_page

lock: setup ## pin every dependency at its version of today
	@$(BIN)/pip freeze --exclude-editable > requirements.lock

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements.lock
	@echo "installing into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock \
		--only-binary pygrpc-native,h2corn --editable '.[native]' 2>/dev/null || \
		$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "installing what the tests need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	@touch $@
