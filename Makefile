# `make run` runs siphon on this machine; `make test` passes the tests. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SOAKED = $(shell grep -l SIPHON_SOAK tests/test_*.py)

.PHONY: run test lint bench soak oracle clean setup system

run: $(VENV)/.installed
	$(BIN)/siphon up $(ARGS)

test: $(VENV)/.installed system
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks $(ARGS)

# Long proofs: hundreds of kills, thousands of flipped bits and model steps, every byte as an end.
soak: $(VENV)/.installed system
	SIPHON_EVERY_BYTE=1 $(BIN)/python -m pytest --numprocesses auto tests/test_load.py -k cut $(ARGS)
	SIPHON_SOAK=1 $(BIN)/python -m pytest --numprocesses auto $(SOAKED) $(ARGS)

# Our reading of logs against the vendors' own packages, in an environment of its own (Codex brings its program, 100 MB).
oracle: $(VENV)/.installed
	$(PYTHON) -m venv $(VENV)/oracle
	$(BIN)/uv pip install --quiet --python $(VENV)/oracle/bin/python --group dev --group oracle --editable .
	$(VENV)/oracle/bin/python -m pytest -rs tests/test_claude_oracle.py tests/test_codex_oracle.py tests/test_copilot_cli.py tests/test_factory_droid.py $(ARGS)

setup: $(VENV)/.installed

# uv installs in seconds what pip takes minutes for; it comes from PyPI itself.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "siphon needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --group dev --editable .
	touch $@

# What the tests need from the system: an SSH server, a browser, other userlands.
system:
	@.ci/system

clean:
	rm -rf $(VENV) build dist *.egg-info
