.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
LOAD ?= closed

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# PYTHON=... chooses the interpreter; without it tools/install.sh finds one. Quoted: paths may have spaces.
INSTALL = sh tools/install.sh

$(BIN)/installed: requirements/dev.txt requirements/commands.in requirements.txt pyproject.toml client/pyproject.toml
	@PYTHON="$(PYTHON)" $(INSTALL) $(VENV) requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-build-isolation --no-deps --editable . --editable client
	@touch $@
# Who names an interpreter gets it, even if .venv is up to date.
ifeq ($(origin PYTHON),command line)
$(BIN)/installed: FORCE
endif
.PHONY: FORCE
FORCE:

# checkov pins a boto3 of its own, so it lives apart.
CHECKOV := $(VENV)/checkov/installed
$(CHECKOV): requirements/scan.txt | $(BIN)/installed
	@PYTHON="$(BIN)/python" $(INSTALL) $(VENV)/checkov requirements/scan.txt
	@touch $@

# The emulator pins a botocore of its own, so it lives apart, too.
EMULATOR := $(VENV)/deploy-check/installed
$(EMULATOR): requirements/deploy-check.txt | $(BIN)/installed
	@PYTHON="$(BIN)/python" $(INSTALL) $(VENV)/deploy-check requirements/deploy-check.txt
	@touch $@

##@ Run the service

.PHONY: install
install: $(BIN)/installed ## Create .venv and install everything into it (PYTHON=python3.12)

.PHONY: up
up: install ## Run the whole service on 127.0.0.1 (PORT=8000); Ctrl-C ends it
	@PORT=$(PORT) $(BIN)/python -m tools.local up

.PHONY: demo
demo: install ## Log a demo resident in and show what they owe (while make up runs)
	@$(BIN)/python -c "import json; print(json.load(open('.local/demo.json'))['residents'][0]['password'])" \
		| $(BIN)/billing login olena --password-stdin --url http://127.0.0.1:$(PORT)
	@$(BIN)/billing debts --apartment 1 --url http://127.0.0.1:$(PORT)

##@ Check a change

.PHONY: format
format: install ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: check
check: install ## Lint, format, SQL, types, import rules and words
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/sqlfluff lint --processes 2 sql
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/words.py

.PHONY: words
words: install ## List words in names and texts that have a standard term
	@$(BIN)/python tools/words.py

PYTEST := $(BIN)/pytest -n 2 --dist loadfile
# Terraform, fault runs and planted bugs: only `make verify` runs them.
SLOW := $(addprefix tests/,chaos deploy_check load matrix mutations terraform)

.PHONY: unit
unit: install ## Run the unit tests: half a minute, no sockets
	$(PYTEST) --disable-socket --allow-unix-socket tests/unit

.PHONY: test
test: install ## Run the tests, but for Terraform, fault runs and planted bugs: four minutes
	$(PYTEST) $(addprefix --ignore=,$(SLOW))

# unit as well as test: only there a socket is an error.
.PHONY: verify
verify: check unit test $(CHECKOV) $(EMULATOR) ## Run the whole gate: check, test, and everything that test leaves out
	$(PYTEST) $(SLOW)
	$(BIN)/python -m tests.mutations
	# One seed, so that a change isn't rejected for the luck of another; developers try others.
	$(BIN)/python -m tools.chaos --seconds 60 --seed 1
	$(BIN)/python -m tools.deploy_check

##@ Look closer

# bash itself counts in SECONDS; only what make was told is meant.
CHAOS_SECONDS = $(if $(filter command line,$(origin SECONDS)),$(SECONDS),30)
.PHONY: chaos
chaos: install ## Inject faults into a service of its own, then check what clients saw (SECONDS=30 SEED=)
	@$(BIN)/python -m tools.chaos --seconds $(CHAOS_SECONDS) $(if $(SEED),--seed $(SEED))

.PHONY: mutations
mutations: install ## Plant each bug of tests/mutations in a copy; a test must fail (MUTATIONS="check_then_act")
	@$(BIN)/python -m tests.mutations $(MUTATIONS)

.PHONY: load
load: install ## Put load on a service of its own (LOAD="--rate 10"; see docs/load.md)
	@$(BIN)/python -m tools.load $(LOAD)

.PHONY: deploy-check
deploy-check: install $(EMULATOR) ## Deploy to emulators, use what was deployed, destroy it (DEPLOY_CHECK="--var prefix=x")
	@$(BIN)/python -m tools.deploy_check $(DEPLOY_CHECK)

##@ Deploy and maintain

.PHONY: package
package: install ## Build the functions into terraform/modules/functions
	@$(BIN)/python -m tools.package

# Versions that still fit stay, unless UPGRADE=--upgrade. Any platform, any supported Python, no registry's name.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command "make lock" $(UPGRADE)
.PHONY: lock
lock: ## Resolve the requirements into requirements/*.txt, with hashes (UPGRADE=--upgrade)
	@uv --version >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	@$(COMPILE) requirements.txt requirements/commands.in client/pyproject.toml --group dev -o requirements/dev.txt
	@$(COMPILE) --group deploy-check -o requirements/deploy-check.txt
	@$(COMPILE) --group scan -o requirements/scan.txt

.PHONY: clean
clean: ## Remove the local state (.local) and what was built
	rm -rf .local build terraform/modules/functions/chalice.tf.json terraform/modules/functions/deployment.zip
