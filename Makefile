# Everything that a developer or a newcomer runs; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
XDG_CACHE_HOME ?= $(HOME)/.cache
CACHE := $(XDG_CACHE_HOME)/llm-d-orchestrator
# One virtual environment for each set of pins and each Python, so that a new clone finds its own. Labs and
# playbooks need less than developers; where the developers' environment is there, it serves for both.
DEV := $(CACHE)/venv-$(shell { cat requirements-lab.txt requirements-dev.txt; $(PYTHON) -VV; } | sha256sum | cut -c1-12)
LEAN := $(CACHE)/venv-$(shell { cat requirements-lab.txt; $(PYTHON) -VV; } | sha256sum | cut -c1-12)
LAB_GOALS := lab lab-down demo demo-down demo-dynamo demo-dynamo-down path
ifeq ($(filter-out $(LAB_GOALS),$(or $(MAKECMDGOALS),help)),)
VENV := $(if $(wildcard $(DEV)/.ready),$(DEV),$(LEAN))
else
VENV := $(DEV)
endif
REQUIREMENTS := $(if $(filter $(DEV),$(VENV)),requirements-dev.txt,requirements-lab.txt)
BIN := $(VENV)/bin
PLAYBOOK := $(BIN)/ansible-playbook
# The version of a program that the lab fetches where PATH has none that fits.
pinned = $(shell awk '/^  - name: $(1)$$/ {found = 1} found && /version:/ {print $$2; exit}' roles/lab/vars/main/tools.yml)
DEMO := -i inventories/lab -e lab_name=$(or $(DEMO_LAB),demo)
DEMO_DYNAMO := -i inventories/lab-dynamo -e lab_name=$(or $(DEMO_LAB),demo-dynamo)

export PATH := $(BIN):$(PATH)
export ANSIBLE_FORCE_COLOR ?= 0
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false

.PHONY: help
help: ## Show the targets
	@awk -F':.*## ' '/^[a-z_-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# No prerequisite: the name of the folder has the pins in it.
$(VENV)/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Set PYTHON=python3.12 or the like." >&2; exit 1; }
	@echo "Installing Ansible$(if $(filter $(DEV),$(VENV)), and the test tools) into $(VENV) (1 to 3 minutes, once)" >&2 # not into what `make path` prints
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is needed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS)
	@touch $@

.PHONY: env
env: $(VENV)/.ready ## Install Ansible and the tools into the cache directory
	@$(BIN)/python -m compileall -q plugins # which Python does by itself, unless it is told not to, as in some containers

.PHONY: path
path: env ## Print the folders of Ansible, and of the lab's Helm and kubectl, for PATH
	@echo $(BIN):$(CACHE)/bin/helm-$(call pinned,helm):$(CACHE)/bin/kubectl-$(call pinned,kubernetes)

.PHONY: lab
lab: env ## Start the lab (LAB=name, default lab)
	@$(PLAYBOOK) playbooks/lab_up.yml -i inventories/lab -e lab_name=$(or $(LAB),lab)

.PHONY: lab-down
lab-down: env ## Stop the lab (LAB=name, default lab)
	@$(PLAYBOOK) playbooks/lab_down.yml -i inventories/lab -e lab_name=$(or $(LAB),lab)

.PHONY: demo
demo: env ## Start a lab, deploy two models on it and send completions through the gateway
	@$(PLAYBOOK) playbooks/lab_up.yml $(DEMO)
	@$(PLAYBOOK) playbooks/site.yml $(DEMO)
	@echo
	@echo 'These commands need kubectl, Helm and Ansible on your PATH: export PATH="$$(make --silent path):$$PATH"'
	@echo "The demo's lab goes on running. Look around, then remove it with: make demo-down"

.PHONY: demo-down
demo-down: env ## Stop the demo's lab
	@$(PLAYBOOK) playbooks/lab_down.yml $(DEMO)

.PHONY: demo-dynamo
demo-dynamo: env ## Start a lab, deploy NVIDIA Dynamo with three models and the LLM Router on it, ask each class
	@$(PLAYBOOK) playbooks/lab_up.yml $(DEMO_DYNAMO)
	@$(PLAYBOOK) playbooks/site.yml $(DEMO_DYNAMO)
	@echo
	@echo 'These commands need kubectl, Helm and Ansible on your PATH: export PATH="$$(make --silent path):$$PATH"'
	@echo "The demo's lab goes on running. Look around, then remove it with: make demo-dynamo-down"

.PHONY: demo-dynamo-down
demo-dynamo-down: env ## Stop the lab of demo-dynamo
	@$(PLAYBOOK) playbooks/lab_down.yml $(DEMO_DYNAMO)

.PHONY: lint
lint: env ## ansible-lint (production), yamllint, ruff, mypy, shellcheck, changelog
	@tests/lint.sh

.PHONY: unit
unit: env ## Unit tests of the Python code and of the charts
	@tests/unit.sh

.PHONY: awx
awx: env ## The playbook that sets up AWX, against a server that speaks AWX's API
	@tests/awx.sh

.PHONY: sanity
sanity: env ## ansible-test sanity (ANSIBLE_CORE=2.18 for another release than the pinned one)
	@ANSIBLE_CORE=$(ANSIBLE_CORE) tests/sanity.sh

.PHONY: package
package: env ## Build the collection, install it elsewhere, and run its playbooks by name
	@tests/package.sh

.PHONY: docs
docs: env ## Build the documentation's site into .cache/docs; every warning is an error
	@tests/docs.sh

.PHONY: pictures
pictures: env ## Look at the pages in headless Chromium, on a screen and a phone; PICTURES=FOLDER keeps the screenshots
	@tests/pictures.sh

.PHONY: release
release: env ## Write the changelog of galaxy.yml's version from all fragments; may be run again
	@$(BIN)/python changelogs/release.py

.PHONY: archive
archive: env ## Build the collection's archive into .cache/archive
	@rm -rf .cache/archive
	@$(BIN)/ansible-galaxy collection build --output-path .cache/archive .

.PHONY: publish
publish: env ## Publish .cache/archive on Galaxy; its key is in the variable GALAXY_API_KEY of the environment
	@ANSIBLE_GALAXY_SERVER_LIST=galaxy ANSIBLE_GALAXY_SERVER_GALAXY_URL=https://galaxy.ansible.com/ \
	  ANSIBLE_GALAXY_SERVER_GALAXY_TOKEN="$$GALAXY_API_KEY" $(BIN)/ansible-galaxy collection publish .cache/archive/*.tar.gz

.PHONY: molecule
molecule: env ## Molecule scenarios on the lab (SCENARIO=name for one)
	@tests/molecule.sh $(SCENARIO)

.PHONY: machines
machines: env ## The roles for machines, on a lab of Debian machines (needs root)
	@tests/machines/run.sh

.PHONY: integration
integration: env ## The lab, its serving plane, deployments and bad input, against a running lab
	@tests/integration.sh
	@tests/chaos.sh

.PHONY: docs-commands
docs-commands: env ## The commands of README.md and docs/, against a running lab
	@tests/docs_commands.sh

.PHONY: mutations
mutations: env ## Mistakes on purpose in correct stacks, which planning has to name, against a running lab
	@tests/mutations.sh

.PHONY: test
test: env ## Every test
	@tests/all.sh

.PHONY: chaos
chaos: env ## Break deployments on a lab and run them again (15 to 20 min); writes docs/failures/reliability.md
	@cd tests/chaos && $(BIN)/python run.py

.PHONY: bench
bench: env ## Time site.yml against the serial chain of Helm commands; writes docs/benchmarks.md
	@$(BIN)/python tests/bench/bench.py

.PHONY: bench-fleet
bench-fleet: env ## Time 8 labs at once and plans of 500 simulated hosts (12 min); writes docs/fleet-benchmarks.md
	@$(BIN)/python tests/bench/fleet.py
