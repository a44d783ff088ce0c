# Solvent. Python 3.11 and make are the only prerequisites: Node and Java come as wheels.
PYTHON ?= python3.11
SOURCE ?= synthetic
export SOLVENT_DATA ?= ../shared/data

BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
# One fixed version of the installer, as of everything else.
UV_VERSION := 0.13.8

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo up down status doctor synth test check bench lock docs clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.uv:
	@command -v $(PYTHON) >/dev/null || { echo "Solvent needs Python 3.11 ('$(PYTHON)' was not found). Install it, or name yours: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else f"Solvent needs Python 3.11, {sys.executable} is {v[0]}.{v[1]}. Name another one: make PYTHON=...")'
	@echo "· creating .venv"
	@$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) && touch $@

.venv/.runtime: .venv/.uv requirements.txt pyproject.toml
	@echo "· installing what the demo needs (about 1.1 GB; a minute or two the first time)"
	@$(UV) -r requirements.txt && $(UV) --no-deps -e . && touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@echo "· installing what tests and checks need (Spark and Java are among it)"
	@$(UV) -r requirements-dev.txt && touch $@

node_modules/.package-lock.json: package-lock.json .venv/.runtime
	@echo "· installing the CDK CLI"
	@$(BIN)/python -m scripts.node npm ci --omit=dev --silent --no-audit --no-fund && touch $@

node_modules/.dev: package-lock.json .venv/.runtime node_modules/.package-lock.json
	@$(BIN)/python -m scripts.node npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json $@

setup: .venv/.runtime node_modules/.package-lock.json ## Install what the demo and a deploy need
setup-dev: .venv/.dev node_modules/.dev ## Install what tests and checks need, too

demo: setup ## Start the embedded AWS, deploy dev into it, run everything (SOURCE=synthetic|german)
	@$(BIN)/solvent demo --source $(SOURCE)

up: setup ## Start the embedded AWS
	@$(BIN)/solvent up
down: ## Stop it; nothing is left running
	@test ! -x $(BIN)/solvent || $(BIN)/solvent down
status: setup ## What runs, where, and what it did last
	@$(BIN)/solvent status
doctor: setup ## Check this machine and the installation
	@$(BIN)/solvent doctor

# The CLI's chatter is shown only when it fails.
cdk_synth = mkdir -p build && echo "· synthesizing $(1)" && { $(BIN)/python -m scripts.cdk synth --quiet -c environment=$(1) -o cdk.out/$(1) > build/synth-$(1).log 2>&1 || { cat build/synth-$(1).log; exit 1; }; }

synth: setup ## Synthesize dev and prod into cdk.out/, no account needed
	@$(call cdk_synth,dev)
	@$(call cdk_synth,prod)

test: setup-dev synth ## All tests: unit, stacks, jobs (DuckDB and Spark), embedded AWS end to end
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope $(PYTEST_ARGS) tests/unit tests/stacks tests/jobs tests/repo
	@$(BIN)/python -m pytest -q --durations=5 $(PYTEST_ARGS) tests/embedded

check: setup-dev synth ## ruff, types, cdk-nag, cfn-lint, state machines, import boundaries, docs
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m gates
	@$(BIN)/python -m pytest -q tests/repo

bench: setup ## Measure; writes benchmarks/results/*.json
	@$(BIN)/python -m benchmarks

docs: setup ## Regenerate the generated documents (data dictionary, embedded AWS table)
	@$(BIN)/python -m scripts.data_dictionary
	@$(BIN)/python -m embedded_aws.table

lock: .venv/.uv ## Resolve requirements*.in into requirements*.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 requirements.in requirements-dev.in -o requirements-dev.txt

clean: down ## Remove everything generated, the environment too
	@rm -rf .venv .solvent node_modules build cdk.out out src/*.egg-info *.egg-info .pytest_cache .mypy_cache .ruff_cache
