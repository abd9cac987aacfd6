# Everything below sets up by itself: a fresh clone, Python 3.11 or newer with pip, and git are enough.
SHELL := bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
# Each of the many processes below would compile all that it imports, and every test, anew.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHECKOV_VERSION := 3.3.30
CHECKOV := $(VENV)/checkov-$(CHECKOV_VERSION)
MUTMUT_VERSION := 3.8.0
MUTMUT := $(VENV)/mutmut-$(MUTMUT_VERSION)

.PHONY: help setup demo test thorough check lint format policies generate readme outside scan package benchmark bench scale startup sweeps mutate pins clean

help: ## these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(READY) ## .venv with everything pinned by hash, and .venv/bin/firebreak
	@echo "setup: $(BIN)/firebreak is ready"

$(READY): requirements-dev.txt pyproject.toml tools/relocate.py
	@command -v $(PYTHON) > /dev/null \
	  || { echo "setup: there is no $(PYTHON); Firebreak needs Python 3.11 or newer. Try: make setup PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "setup: Firebreak needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make setup PYTHON=python3.11"; exit 1; }
	@$(BIN)/python -m pip --version > /dev/null 2>&1 \
	  || { echo "setup: making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv --clear $(VENV); } \
	  || { echo "setup: $(PYTHON) cannot make a virtual environment; its venv module is missing (on Debian: python3-venv)"; exit 1; }
	@echo "setup: installing $$(grep -c '==' requirements-dev.txt) packages, each checked against its hash (a minute or two)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-dev.txt \
	  || { echo "setup: installing failed, see above; nothing outside $(VENV) was touched, and make setup can be run again"; exit 1; }
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation \
	  --config-settings editable_mode=compat --editable .
	@$(BIN)/python tools/relocate.py
	@touch $(READY)

demo: $(READY) ## from a finding to a contained and restored service, on this machine
	@$(BIN)/firebreak demo $(if $(SCENARIO),--scenario $(SCENARIO))

test: $(READY) ## everything that needs only Python; T=tests/x.py::name for one, K=expression for those that match
ifneq ($(T)$(K),)
	@$(BIN)/python -m pytest -n 0 $(if $(K),-k "$(K)") $(T)
else
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not emulator and not terraform and not thorough"
endif

thorough: $(READY) ## every crash point, call fault, guard probe and door, which take some minutes
	$(BIN)/python -m pytest -n auto --dist worksteal -m thorough

# The tests come last, so that their summary closes what is printed.
check: $(READY) ## all of it, as CI does
	@$(MAKE) lint
	@$(MAKE) policies
	@$(MAKE) readme
	@$(MAKE) outside
	@$(MAKE) scan
	@$(MAKE) thorough
	@$(MAKE) test

lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## let ruff put everything in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

policies: $(READY) ## lint the shipped policies and run their examples
	@for set in policies policies/starter/monitor policies/starter/strict; do \
	  echo "$$set"; $(BIN)/firebreak policy lint $$set && $(BIN)/firebreak policy test $$set || exit 1; done

generate: $(READY) ## every file that is made from the code: schemas, pages of docs/, what Terraform reads
	@$(BIN)/python -m tools.generate

readme: $(READY) ## run the commands of the README and of docs/policies.md as written
	$(BIN)/python -m tools.readme_commands

outside: $(READY) ## tests that need an emulator or Terraform; where those are missing, the summary says what was skipped
	$(BIN)/python -m pytest -n auto --dist loadfile -m "emulator or terraform"

# In an environment of its own: it brings over a hundred packages that nothing else here needs.
scan: $(READY) ## checkov on the Terraform; each exception to it stands beside its reason
	@test -x $(CHECKOV)/bin/checkov || { echo "scan: installing checkov $(CHECKOV_VERSION)" && $(BIN)/python -m venv $(CHECKOV) \
	  && $(CHECKOV)/bin/python -m pip install -qq --disable-pip-version-check --only-binary :all: checkov==$(CHECKOV_VERSION); }
	@$(CHECKOV)/bin/checkov --directory terraform --framework terraform --compact --quiet --skip-download

package: $(READY) ## dist/firebreak.zip, what Terraform deploys; POLICIES=folder: your own, TO=folder: written there, INDEX=url: packages from there
	@$(BIN)/python -m tools.package $(if $(POLICIES),--policies "$(POLICIES)") $(if $(TO),--to "$(TO)") $(if $(INDEX),--index "$(INDEX)")

benchmark: $(READY) ## policies beside Cloud Custodian's filters and plain Python (installs it aside)
	$(BIN)/python -m benchmarks.policy_matching

bench: $(READY) ## from a message to the request that contains, beside an honest one-call-after-another function; keeps it on the page
	$(BIN)/python -m benchmarks.containment
	@$(BIN)/python -m tools.generate

scale: $(READY) ## a thousand findings at once, and services with a thousand of everything: time, memory, nothing lost
	$(BIN)/python -m benchmarks.scale

startup: $(READY) ## what the commands on a ledger take, beside importing the libraries that they need
	$(BIN)/python -m benchmarks.start_up

sweeps: $(READY) ## two sweeps beside twenty kinds of stuck items, on a ledger with 100,000 incidents
	$(BIN)/python -m benchmarks.sweep

# mutmut asks of pytest what the ninth release no longer has, hence an environment of its own.
mutate: $(READY) ## by hand: change what decides, place by place, and see which tests fail; MODULE=core.containment.guards for one
	@test -x $(MUTMUT)/bin/mutmut || { echo "mutate: installing mutmut $(MUTMUT_VERSION)" && $(BIN)/python -m venv $(MUTMUT) \
	  && $(MUTMUT)/bin/python -m pip install -qq --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-dev.txt \
	  && $(MUTMUT)/bin/python -m pip install -qq --disable-pip-version-check mutmut==$(MUTMUT_VERSION) 'pytest<9'; }
	nice $(MUTMUT)/bin/mutmut run --max-children 1 $(if $(MODULE),'firebreak.$(MODULE)*')
	$(MUTMUT)/bin/mutmut results

pins: $(READY) ## make the locks anew from requirements*.in (needs uv)
	$(BIN)/python tools/pins.py

clean: ## remove what was made
	rm -rf $(VENV) dist mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
