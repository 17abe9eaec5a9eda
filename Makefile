# `make help` tells what there is. Everything lives in .venv (and .venv-bench, .venv-site); nothing needs root.

# The first Python of 3.11 or newer on this machine; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
BENCH := .venv-bench/bin
SITE := .venv-site/bin
PIP := -m pip install --quiet --disable-pip-version-check
LOCK := pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

# Each of the processes that the tests start would compile Bellhop anew: a fifth of what it takes to start them.
unexport PYTHONDONTWRITEBYTECODE

# From the command line into the recipes' environment, so that no shell reads what a password may hold.
export BROKER
ARGS ?=

.PHONY: help up test test-pythons test-rabbitmq lint shape coverage fuzz schemathesis drill bench bench-promise bench-recovery bench-lanes bench-letters bench-ledger screenshots docs lock
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

up: .venv/.runtime ## start everything against pretended vendors (BROKER=amqp://… on a RabbitMQ of yours)
	@$(BIN)/bellhop up $${BROKER:+--broker "$$BROKER"}

test: .venv/.dev ## set up what the tests need, then lint and run them all (ARGS=… for pytest)
	@tests/support/install_parts.sh
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory site ARGS=
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-pythons: ## the unit tests under each CPython from 3.11 to 3.14 that this machine has (ARGS=… for pytest)
	@$(PYTHON) tools/pythons.py $(ARGS)

test-rabbitmq: .venv/.dev ## contract, way and drill on RabbitMQ 4.0 and 4.3, unpacked from newer Debians as root (ARGS=… for pytest)
	@tests/support/install_parts.sh
	@tests/support/newer_rabbitmq.sh $(ARGS)

lint: .venv/.dev ## ruff, mypy, and nothing worse than tools/shape.toml says
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tools.shape --check

.PHONY: site
site: .venv-site/.site ## the documentation as a site in .site, no link astray (ARGS="--version 0.1 --latest --into DIR")
	@$(SITE)/python -m tools.docs_site $(ARGS)

shape: .venv/.dev ## measure folders, files, functions, names and imports (ARGS="--repo DIR", --write, --json)
	@$(BIN)/python -m tools.shape $(ARGS)

coverage: .venv/.dev ## how much of each module the unit tests reach (counting takes two thirds more time)
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --cov --cov-report=term tests/unit $(ARGS)

fuzz: .venv/.dev ## a hundred thousand inputs with something put wrong in them, and the laws they hold (ARGS=… for it)
	@$(BIN)/python $(PIP) --require-hashes --requirement tools/fuzz.lock || \
		echo 'atheris cannot be had here: Hypothesis alone chooses the inputs'
	@$(BIN)/python -m tools.fuzz $(ARGS)

.PHONY: hypothesis
hypothesis: .venv/.dev ## the tests whose inputs Hypothesis chooses, with a thousand of each (HYPOTHESIS_EXAMPLES, ARGS=… for pytest)
	HYPOTHESIS_EXAMPLES=$${HYPOTHESIS_EXAMPLES:-1000} \
		$(BIN)/pytest --numprocesses auto --maxprocesses 4 -m hypothesis --timeout 3600 tests/unit tests/integration $(ARGS)

schemathesis: .venv/.dev ## both OpenAPI documents against what serves them, with hundreds of examples (SCHEMATHESIS_EXAMPLES, SCHEMATHESIS_SEED)
	SCHEMATHESIS_EXAMPLES=$${SCHEMATHESIS_EXAMPLES:-200} $(BIN)/pytest -n 2 --show-capture=no tests/integration/docs/test_exact_documents.py $(ARGS)

drill: .venv/.dev ## every fault, over both brokers and both ledgers: nothing lost, doubled or half (ARGS=… for each run)
	@tests/support/install_parts.sh
	@for broker in embedded rabbitmq; do for ledger in sqlite postgresql; do \
		$(BIN)/bellhop drill run --faults -1 --events 1000 --broker $$broker --ledger $$ledger $(ARGS) || exit 1; \
	done; done

.PHONY: drill-long
drill-long: .venv/.dev ## drill after drill, until each fault struck often on each broker and ledger (ARGS="--folder … --each 50")
	@tests/support/install_parts.sh
	@$(BIN)/python -m bellhop.drill.long_run $(ARGS)

bench: .venv-bench/.bench ## measure beside Celery, FastStream and Dramatiq on a private RabbitMQ (ARGS=…, see bench/)
	@tests/support/install_parts.sh
	@$(BENCH)/python -m bench.run $(ARGS)

bench-promise: .venv-bench/.bench ## what Celery and Dramatiq make of a drill's faults: lost and doubled, counted (ARGS=…)
	@tests/support/install_parts.sh
	@$(BENCH)/python -m bench.promise $(ARGS)

bench-recovery: .venv/.dev ## how long until work goes on after something broke, by default settings (ARGS=…)
	@tests/support/install_parts.sh
	@$(BIN)/python -m bench.recovery $(ARGS)

.PHONY: bench-backups
bench-backups: .venv/.dev ## what a backup and a restore take, and what is missing after one under load (ARGS=…)
	@tests/support/install_parts.sh
	@$(BIN)/python -m bench.backups $(ARGS)

bench-lanes: .venv/.dev ## one account behind its limit, away or hanging: what another one's events wait (ARGS=…)
	@tests/support/install_parts.sh
	@$(BIN)/python -m bench.lanes $(ARGS)

.PHONY: bench-backlog
bench-backlog: .venv/.dev ## finishing with a million events waiting, beside few (ARGS=…)
	@tests/support/install_parts.sh
	@$(BIN)/python -m bench.backlog $(ARGS)

.PHONY: bench-calls
bench-calls: .venv/.dev ## a thousand vendor calls at once in one worker: memory, threads, processor's time, stopping (ARGS=…)
	@tests/support/install_parts.sh
	@$(BIN)/python -m bench.many_calls $(ARGS)

bench-letters: .venv/.dev ## a hundred thousand dead letters: list, group, search, on SQLite and PostgreSQL
	@tests/support/install_parts.sh
	$(BIN)/pytest --timeout 1200 -s bench/test_letters.py $(ARGS)

bench-ledger: .venv/.dev ## a ledger of ten million events on PostgreSQL beside an empty one: rates, bytes, pruning
	@tests/support/install_parts.sh
	$(BIN)/python -m bench.big_ledger $(ARGS)

screenshots: .venv/.dev ## take the README's pictures anew
	@tests/support/install_parts.sh
	SCREENSHOTS=docs/img $(BIN)/pytest -q tests/acceptance/test_console.py

docs: .venv/.runtime ## write anew what is made of the code: docs/vendors.md, fields.md, webhooks.md and vendor-answers.md, the example of the settings, their schema
	$(BIN)/python -m bellhop.vendors.document > docs/vendors.md
	$(BIN)/python -m bellhop.sandbox.document > docs/sandbox.md
	$(BIN)/python -m bellhop.vendors.fates_document > docs/fields.md
	$(BIN)/python -m tools.vendor_answers > docs/vendor-answers.md
	$(BIN)/python -m tools.webhooks_page > docs/webhooks.md
	$(BIN)/bellhop config example > bellhop.example.toml
	$(BIN)/bellhop config schema > docs/settings.schema.json

lock: .venv/.dev ## write the lock files anew, with the newest versions that pyproject.toml allows
	$(BIN)/python $(PIP) uv
	$(BIN)/uv $(LOCK) --output-file requirements.lock pyproject.toml
	$(BIN)/uv $(LOCK) --output-file requirements-dev.lock --extra dev --extra oidc --extra otel --constraint requirements.lock pyproject.toml
	$(BIN)/uv $(LOCK) --output-file requirements-extras.lock --extra oidc --extra otel --constraint requirements.lock pyproject.toml
	$(BIN)/uv $(LOCK) --output-file tools/fuzz.lock tools/fuzz.in
	$(BIN)/uv $(LOCK) --output-file bench/requirements.lock --constraint requirements.lock pyproject.toml bench/requirements.in
	$(BIN)/uv $(LOCK) --output-file docs/requirements.lock docs/requirements.in
	@if grep -n '://' requirements.lock requirements-dev.lock requirements-extras.lock bench/requirements.lock docs/requirements.lock \
		tools/fuzz.lock; then \
		echo 'a lock file names an index: that must not be published' >&2; exit 1; fi

# --- environments: made anew only when what they hold has changed ---------------------------------------------------

.venv/bin/pip .venv-bench/bin/pip .venv-site/bin/pip:
	@test -n "$(PYTHON)" || { echo 'Bellhop needs Python 3.11 or newer; PYTHON=/path/to/python names one.' >&2; exit 1; }
	@$(PYTHON) -m venv $(@:/bin/pip=) || { rm -rf $(@:/bin/pip=); \
		echo 'Python could not make an environment; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/pip
	@echo 'installing what Bellhop needs …'
	@$(BIN)/python $(PIP) --require-hashes --requirement requirements.lock
	@$(BIN)/python $(PIP) --no-deps --editable .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@echo 'installing what its tests need …'
	@$(BIN)/python $(PIP) --require-hashes --requirement requirements-dev.lock
	@touch $@

.venv-bench/.bench: bench/requirements.lock pyproject.toml | .venv-bench/bin/pip
	@echo 'installing the peers …'
	@$(BENCH)/python $(PIP) --require-hashes --requirement bench/requirements.lock
	@$(BENCH)/python $(PIP) --no-deps --editable .
	@touch $@

.venv-site/.site: docs/requirements.lock | .venv-site/bin/pip
	@echo 'installing what builds the site …'
	@$(SITE)/python $(PIP) --require-hashes --requirement docs/requirements.lock
	@touch $@
