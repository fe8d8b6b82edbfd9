# One word each. `run` and `test` do all their own set-up; nothing has to be installed by hand but make and Python 3.11.
# Leave a part of the tests out by asking: make test SKIP="asterisk postgres"

PYTHON ?= python3
PY := .venv/bin/python
SETUP := $(PYTHON) controller/provisioning/virtual_env.py

.PHONY: run demo test check bench requirements docker-test

run:
	@$(SETUP) requirements.lock
	@$(PY) -m controller run

demo:
	@$(SETUP) requirements.lock
	@$(PY) -m controller demo

test:
	@$(SETUP) requirements-dev.lock
	@$(PY) -m tests

check:
	@$(SETUP) requirements-dev.lock
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports

bench:
	@$(SETUP) requirements-dev.lock
	@$(PY) -m tests.bench
	@$(PY) -m tests.bench.distribution

requirements:
	@$(SETUP) requirements-dev.lock
	@$(PY) -m tests.requirements

docker-test:
	@.ci/docker-test

