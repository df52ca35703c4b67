# `make` prints what there is. Nothing but Python >= 3.11 and make need be on the machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTOS := $(wildcard protos/*/v1/*.proto)
export PYTHONPATH := $(CURDIR)

.DEFAULT_GOAL := help
.PHONY: help run test check setup fmt fmt-check lint types imports protos protos-check unit bench suite simulate chaos lock clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  \033[36mmake %-14s\033[0m %s\n", $$1, $$2}'

run: $(VENV)/.runtime  ## Start everything on this machine, run the example, keep serving until Ctrl-C
	@exec $(BIN)/python -m autoworker up --example

test: check suite  ## All that CI runs

check: fmt-check lint types imports protos-check  ## The fast first part: format, lint, types, import contracts, protos

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

bench: $(VENV)/.dev  ## Measure against the bare libraries, on this machine, with real flushes of the disk
	@$(BIN)/python -m benchmarks $(ROWS)

suite: $(VENV)/.dev  ## Every test
	@$(BIN)/pytest -n 2 --dist loadfile

chaos: $(VENV)/.dev  ## Kill, freeze and starve the suite for MINUTES=… (10)
	@CHAOS_MINUTES=$(or $(MINUTES),10) $(BIN)/pytest -s tests/chaos

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
