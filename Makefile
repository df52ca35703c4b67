# `make` prints what there is. Nothing but Python >= 3.11 and make need be on the machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTOS := $(wildcard protos/*/v1/*.proto)
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help run test check setup fmt fmt-check lint types imports protos protos-check unit servers conformance-doc conformance-check bench bench-cluster suite simulate chaos cluster lock clean image up down deploy-check

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  \033[36mmake %-14s\033[0m %s\n", $$1, $$2}'

run: $(VENV)/.runtime  ## Start everything on this machine, run the example, keep serving until Ctrl-C
	@exec $(BIN)/python -m autoworker up --example

test: check suite  ## All that CI runs

check: fmt-check lint types imports protos-check conformance-check  ## The fast first part: format, lint, types, import contracts, what is generated

setup: $(VENV)/.dev  ## Make the virtual environment with everything for development

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "autoworker needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 run" >&2; exit 1; }
	@echo "Making the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	@test -f $(VENV)/.dev || { echo "Installing the locked dependencies (once) ..."; \
	  $(BIN)/pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock; }
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing the locked dependencies for development (once) ..."
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

fmt: $(VENV)/.dev  ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix --select I .

fmt-check: $(VENV)/.dev
	@$(BIN)/ruff format --check --quiet . || { echo "Run: make fmt" >&2; exit 1; }

lint: $(VENV)/.dev  ## Lint code and protos
	@$(BIN)/ruff check .
	@$(BIN)/buf lint

types: $(VENV)/.dev  ## Check types
	@$(BIN)/mypy

imports: $(VENV)/.dev  ## Check that dependencies point inwards
	@$(BIN)/lint-imports

protos: $(VENV)/.dev  ## Generate the Python code of the protos
	@$(BIN)/python -m grpc_tools.protoc -I. --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy \
	  --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	  --python_out=. --grpc_python_out=. --mypy_out=quiet:. --mypy_grpc_out=quiet:. $(PROTOS)

protos-check: protos  ## Fail when the generated code is not what the protos say
	@git diff --exit-code --stat -- protos || { echo "The generated code has drifted. Commit what 'make protos' wrote." >&2; exit 1; }

unit: $(VENV)/.dev  ## The tests without sockets
	@$(BIN)/pytest tests/unit -q

conformance-doc: $(VENV)/.dev  ## Write docs/conformance.md from the scenarios
	@$(BIN)/python -m tests.conformance.page

conformance-check: $(VENV)/.dev
	@$(BIN)/python -m tests.conformance.page --check

bench: $(VENV)/.dev  ## Measure against the bare libraries, on this machine, with real flushes of the disk
	@$(BIN)/python -m benchmarks $(ROWS)

bench-cluster: $(VENV)/.dev  ## Measure what real servers cost: RabbitMQ, Redis, MongoDB or its stand-in, Consul
	@$(BIN)/python -m benchmarks.cluster $(ROWS)

servers:  ## Install the real servers that tests use, as root on Debian; elsewhere tests take those that there are
	@{ test -x /usr/lib/rabbitmq/bin/rabbitmq-server && command -v redis-server && command -v promtool && command -v chromium; } >/dev/null || \
	  test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || \
	  { echo "Installing RabbitMQ, Redis, promtool and Chromium for the tests ..."; apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends rabbitmq-server redis-server prometheus \
	      chromium fonts-dejavu-core >/dev/null; }
	@command -v consul >/dev/null || test -x $(VENV)/servers/consul || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null || \
	  { echo "Unpacking Consul for the tests ..."; sh tests/support/install_consul.sh $(VENV)/servers; }

suite: $(VENV)/.dev servers  ## Every test
	@$(BIN)/pytest -n 2 --dist loadfile

image:  ## Build the container image (needs Docker)
	@docker build -f deploy/Dockerfile -t autoworker .

up:  ## Start everything real in containers: the suite on MongoDB, RabbitMQ, Redis and Consul
	@docker compose -f deploy/compose.yaml up --build --detach --wait
	@echo "Serving on http://127.0.0.1:$${AUTOWORKER_HTTP_PORT:-8080}. The first administrator: docker compose -f deploy/compose.yaml logs auth | grep administrator"

down:  ## Stop it; its data stays (docker compose -f deploy/compose.yaml down --volumes removes it)
	@docker compose -f deploy/compose.yaml down

deploy-check: $(VENV)/.dev  ## Look for what is unwise in the Kubernetes manifests, with checkov in an environment of its own
	@test -x $(VENV)/checkov/bin/checkov || { $(PYTHON) -m venv $(VENV)/checkov && $(VENV)/checkov/bin/pip install -qq --disable-pip-version-check checkov; }
	@for overlay in production one-pod; do \
	  $(BIN)/python -m tests.deploy.built $$overlay > $(VENV)/$$overlay.yaml && \
	  $(VENV)/checkov/bin/checkov --framework kubernetes --skip-download --compact --quiet --skip-check CKV_K8S_43 -f $(VENV)/$$overlay.yaml || exit 1; \
	done

chaos: $(VENV)/.dev  ## Kill, freeze and starve the suite for MINUTES=… (10)
	@CHAOS_MINUTES=$(or $(MINUTES),10) $(BIN)/pytest -s tests/chaos

cluster: $(VENV)/.dev servers  ## Break processes, servers and networks of a whole cluster for MINUTES=… (10)
	@$(BIN)/python -m tests.cluster $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

SEEDS ?= 1000
simulate: $(VENV)/.dev  ## Simulate the engine under faults: SEEDS=20000, or SEEDS=FROM:TO
	@$(BIN)/python -m tests.simulation $(SEEDS)

lock: $(VENV)/.dev  ## Take the newest versions and lock them with hashes
	@for part in "" "-dev"; do \
	  group=$$(test -z "$$part" || echo "--group dev"); \
	  $(BIN)/uv --quiet pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-annotate --custom-compile-command "make lock" pyproject.toml $$group -o requirements$$part.lock; \
	done

clean:  ## Remove what was built; data/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
