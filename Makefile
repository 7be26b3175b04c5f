# Everything a person types. Each target sets up what it needs on a machine that has Python 3.11+, make and PyPI.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip -qq --disable-pip-version-check install
LOCAL  := -e framework -e openbank -e desktop-controller -e api-gateway
MONGO_PEER := .venv-mongo-peer
WITNESS := tests/support/eventstoredb/witness/node_modules
PROJECTS := framework/pyproject.toml openbank/pyproject.toml desktop-controller/pyproject.toml api-gateway/pyproject.toml

ENV_FILE ?= .env
COMPOSE := docker compose --env-file $(ENV_FILE)
# By its name alone, what runs is found without the secrets in that file.
RUNNING := docker compose --project-name $${COMPOSE_PROJECT_NAME:-neuroglia}
PAGES  := openbank:8081:/api/docs desktop-controller:8082:/api/docs api-gateway:8083:/api/docs viewer:8084:/ \
          keycloak:8080:/ eventstore:2113:/web/
ifdef TELEMETRY
COMPOSE := OTEL_EXPORTER_OTLP_ENDPOINT=http://telemetry:4318 $(COMPOSE) --profile telemetry
PAGES  += telemetry:3000:/
endif

# Without compiled modules, each start and each worker of the tests would compile all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
# A test that waits for ever fails, with the stack it waits in.
HANGING := -o faulthandler_timeout=900 -o faulthandler_exit_on_timeout=true
# What is quick: no server, no process, and no generated cases.
UNITS := not service and not integration and not containers and not e2e and not torture and not hypothesis
.PHONY: help demo run env up down logs unit test test-containers test-end-to-end check format bench torture lock clean

help:  ## Show what there is to type
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run.stamp  ## Play the samples' stories over HTTP on real servers, then end
	@$(BIN)/python -m deployment.demo

run: $(VENV)/run.stamp  ## Keep OpenBank, the Desktop Controller and the API Gateway up on ports 8081 to 8083
	@$(BIN)/python -m deployment.demo.keep_up

env:  ## Write the file .env with secrets for docker compose, once
	@$(PYTHON) -m deployment.environment $(ENV_FILE)

up: env  ## Start the whole system in containers; TELEMETRY=1: with traces and metrics; needs Docker
	@$(COMPOSE) up --build --detach --wait
	@for page in $(PAGES); do set -- $$(echo $$page | tr : ' '); \
	  printf '  %-20s http://%s%s\n' $$1 $$($(COMPOSE) port $$1 $$2) $$3; done

down:  ## Stop the containers; what they have stored stays (docker compose down --volumes removes it)
	@$(RUNNING) down

logs:  ## Follow what its services write
	@$(RUNNING) logs --follow --tail 100

unit: $(VENV)/dev.stamp  ## Run the unit tests alone: no whole service, no server, no process, no generated cases
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "$(UNITS)" --ignore tests/deployment --ignore tests/docs tests

test: $(VENV)/dev.stamp $(MONGO_PEER)/stamp $(WITNESS)  ## Run all tests; about 25 minutes on two cores
	@$(BIN)/python -m pytest -n auto --dist worksteal $(HANGING)

test-containers: $(VENV)/dev.stamp  ## Try the real EventStoreDB, MongoDB and Keycloak; needs Docker
	@$(BIN)/python -m pytest -m containers

test-end-to-end: $(VENV)/dev.stamp  ## Drive the samples as containers, by docker compose; needs Docker
	@$(BIN)/python -m pytest -m e2e

check: $(VENV)/dev.stamp  ## Check format, lint, types and layers
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/lint-imports --no-cache --no-logo

format: $(VENV)/dev.stamp  ## Put the code in order
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: $(VENV)/dev.stamp $(MONGO_PEER)/stamp  ## Measure speed beside the raw limits, in one run
	@$(BIN)/python -m tests.benchmarks

torture: $(VENV)/dev.stamp $(MONGO_PEER)/stamp $(WITNESS)  ## Run the long crash tests
	@HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -m "not containers and not e2e"

lock: $(VENV)/dev.stamp  ## Pin all versions anew
	@$(PIP) uv
	@for name in run dev debug; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    --no-emit-package neuroglia --no-emit-package openbank --no-emit-package desktop-controller --no-emit-package api-gateway requirements/$$name.in -o requirements/$$name.lock; done

clean:  ## Remove what was built, the virtual environment, and ./data with all that make run has stored
	@rm -rf $(VENV) $(MONGO_PEER) data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The vendor's Node client, which tries our stand-in for EventStoreDB. Without npm the test that runs it is skipped.
$(WITNESS): $(dir $(WITNESS))package-lock.json
	@if command -v npm > /dev/null; then npm ci --ignore-scripts --no-audit --no-fund --silent --prefix $(dir $@) && touch $@ \
	  || echo "The vendor's client cannot be installed: its test will be skipped." >&2; fi

# A server that speaks MongoDB's protocol, for tests. It runs as a process of its own and is never imported (GPL).
$(MONGO_PEER)/stamp: requirements/mongo-peer.txt
	@echo "Setting up $(MONGO_PEER) (once) ..."
	@$(PYTHON) -m venv $(MONGO_PEER)
	@$(MONGO_PEER)/bin/python -m pip -qq --disable-pip-version-check install -r $< || { echo "The MongoDB peer cannot be installed as pinned in $<." >&2; exit 1; }
	@touch $@

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp requirements/run.lock $(PROJECTS)
	@echo "Setting up $(VENV) (once) ..."
	@$(PIP) --require-hashes --no-deps -r requirements/run.lock
	@$(PIP) --no-deps --no-build-isolation $(LOCAL)
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.lock
	@echo "Setting up the tools for tests and checks (once) ..."
	@$(PIP) --require-hashes --no-deps -r requirements/dev.lock
	@touch $@
