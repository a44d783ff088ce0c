# Solvent. Python 3.11 and make are the only prerequisites: Node and Java come as wheels.
PYTHON ?= python3.11
SOURCE ?= synthetic
ENVIRONMENT ?= dev
export SOLVENT_DATA ?= ../shared/data

# How many tests run side by side: they wait for processes and files now and then, so one more than the smallest CI machine has cores.
WORKERS ?= 3

BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
# One fixed version of the installer, as of everything else.
UV_VERSION := 0.13.8

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev databases demo up down status doctor synth test check bench bench-etl bench-models bench-serving bench-sql cost lock docs clean check-release recheck-release check-iam diff deploy release

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-13s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.uv:
	@command -v $(PYTHON) >/dev/null || { echo "Solvent needs Python 3.11 ('$(PYTHON)' was not found). Install it, or name yours: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v == (3, 11) else f"Solvent needs Python 3.11, {sys.executable} is {v[0]}.{v[1]}. Name another one: make PYTHON=...")'
	@echo "· creating .venv"
	@$(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) && touch $@

.venv/.runtime: .venv/.uv requirements.txt pyproject.toml
	@echo "· installing what the demo needs (about 1.6 GB; a minute or two the first time)"
	@$(UV) -r requirements.txt && $(UV) --no-deps -e . && touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@echo "· installing what tests and checks need (Spark and Java are among it)"
	@$(UV) -r requirements-dev.txt && touch $@

# What setup-dev added stays when the lock changes.
DEV_NODE := $(wildcard node_modules/.dev)
node_modules/.package-lock.json: package-lock.json .venv/.runtime
	@echo "· installing the CDK CLI"
	@$(BIN)/python -m scripts.node npm ci $(if $(DEV_NODE),,--omit=dev) --silent --no-audit --no-fund && touch $@ $(DEV_NODE)

node_modules/.dev: package-lock.json .venv/.runtime node_modules/.package-lock.json
	@$(BIN)/python -m scripts.node npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json $@

# In an environment of its own: checkov wants a boto3 that is two years older than ours.
.venv-checkov/.done: .venv/.uv requirements-checkov.txt
	@echo "· installing checkov"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-checkov
	@$(BIN)/uv pip install --quiet --python .venv-checkov/bin/python -r requirements-checkov.txt && touch $@

# The versions of AWS's XGBoost container, with its toolkits: train.py and inference.py are tested under them.
.venv-container/.done: .venv/.uv requirements-container.txt
	@echo "· installing the training container's versions"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-container
	@$(BIN)/uv pip install --quiet --python .venv-container/bin/python -r requirements-container.txt && touch $@

setup: .venv/.runtime node_modules/.package-lock.json ## Install what the demo and a deploy need
setup-dev: .venv/.dev .venv-checkov/.done .venv-container/.done node_modules/.dev ## Install what tests and checks need, too

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

.PHONY: test-scale
test-scale: setup-dev synth ## A million payments on DuckDB and Spark, ANSI off and on; 100,000 loans scored and loaded; minutes
	@$(BIN)/python -m pytest -q $(PYTEST_ARGS) tests/scale

databases: .venv/.dev ## Bring the database servers that tests read from (PostgreSQL, MariaDB), without installing them
	@$(BIN)/python -m scripts.databases

# In the order given, the modules of few long tests first: xdist would put those of many tests first, and end on one worker.
# The workers have the cores already: threads of numeric libraries would only wait for each other.
test: export OMP_NUM_THREADS = 1
test: export OPENBLAS_NUM_THREADS = 1
test: setup-dev databases synth ## Tests: unit, stacks, jobs (DuckDB and Spark), embedded AWS end to end
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS) tests/jobs tests/stacks tests/unit
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) tests/extraction
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=5 $(PYTEST_ARGS) tests/embedded

check: setup-dev synth ## Every gate, one line each: code, docs, templates, state machines, policies, cost
	@$(BIN)/python -m gates

check-release: setup-dev synth ## Compare with the last release: what would be lost? (AGAINST=tag, commit or folder)
	@$(BIN)/python -m gates.delivery $(if $(AGAINST),--against $(AGAINST))

# What a pipeline deploys is what it checked: these three synthesize nothing. STACKS names some stacks instead of all.
assembly_exists = test -f config/$(ENVIRONMENT).yaml || { echo "There is no environment '$(ENVIRONMENT)'. config/ has: $(basename $(notdir $(wildcard config/*.yaml)))."; exit 1; }; test -f cdk.out/$(ENVIRONMENT)/manifest.json || { echo "There is no assembly in cdk.out/$(ENVIRONMENT). Write it with 'make synth'."; exit 1; }

recheck-release: .venv/.dev node_modules/.package-lock.json ## check-release of cdk.out/ as it is: there may be a newer release by now
	@$(assembly_exists)
	@$(BIN)/python -m gates.delivery
diff: setup ## What deploying cdk.out/ would change in the account (ENVIRONMENT=dev|prod); needs read access
	@$(assembly_exists)
	@$(BIN)/python -m scripts.credentials
	@mkdir -p build && $(BIN)/python -m scripts.cdk diff --app cdk.out/$(ENVIRONMENT) --method template --no-color $(STACKS) > build/diff-$(ENVIRONMENT).txt 2>&1 || { cat build/diff-$(ENVIRONMENT).txt; exit 1; }
	@cat build/diff-$(ENVIRONMENT).txt
deploy: setup ## Deploy cdk.out/ as it is into the account (ENVIRONMENT=dev|prod)
	@$(assembly_exists)
	@$(BIN)/python -m scripts.credentials
	@$(BIN)/python -m scripts.cdk deploy --app cdk.out/$(ENVIRONMENT) $(or $(STACKS),--all) --require-approval $(if $(CI),never,broadening)
release: ## Tag this commit as the last release (v<date>-<time>) and push the tag
	@tag=v$$(date -u +%Y.%m.%d-%H%M%S) && git tag $$tag && git push --quiet origin $$tag && echo "· released as $$tag"

cost: setup synth ## What dev and prod cost at rest and a run, and what costs most (ARGS="--set etl_minutes=20")
	@$(BIN)/python -m gates.cost $(ARGS)

check-iam: setup-dev synth ## Take the actions from the roles of dev, one at a time: what needs one must fail (ARGS="--role '*-train'")
	@$(BIN)/python -m scripts.iam $(ARGS)

bench: setup ## Measure; writes benchmarks/results/*.json
	@$(BIN)/python -m benchmarks
bench-etl: setup-dev ## The ETL beside pandas, Polars, Spark and a plain copy, up to 50 million rows (half an hour, 4 GB of disk)
	@$(BIN)/python -m benchmarks etl
bench-serving: setup-dev ## One applicant in process, over HTTP and in a batch, beside scikit-learn, MLflow and an echo (three minutes)
	@$(BIN)/python -m benchmarks serving
bench-sql: setup-dev ## Every mart and saved query, at 22,903 and at 20.9 million payments (ten minutes, 10 GB of disk)
	@$(BIN)/python -m benchmarks sql
bench-models: setup-dev ## Every candidate on the public data in SOLVENT_DATA, by benchmarks/protocol.yaml (ARGS="--only polish")
	@OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.models $(ARGS)

docs: setup-dev synth ## Regenerate the generated documents (data dictionary, lineage, embedded AWS table, networks, cost, security, permissions)
	@$(BIN)/python -m scripts.data_dictionary
	@$(BIN)/python -m scripts.lineage
	@$(BIN)/python -m embedded_aws.table
	@$(BIN)/python -m gates.networks
	@$(BIN)/python -m gates.cost --write
	@$(BIN)/python -m gates.security
	@$(BIN)/python -m scripts.iam.document

lock: .venv/.uv ## Resolve requirements*.in into requirements*.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 requirements.in requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 requirements-checkov.in -o requirements-checkov.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.11 requirements-container.in -o requirements-container.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.12 --python-platform x86_64-manylinux_2_28 --only-binary :all: requirements-training.in -o requirements-training.txt
	@$(BIN)/uv pip compile --quiet --no-header --python-version 3.14 --python-platform aarch64-manylinux_2_28 --only-binary :all: requirements-experiments.in -o requirements-experiments.txt

clean: down ## Remove everything generated, the environment too
	@rm -rf .venv .venv-checkov .venv-container .solvent node_modules build cdk.out out src/*.egg-info *.egg-info .pytest_cache .mypy_cache .ruff_cache
