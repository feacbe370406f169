# Every target sets up what it needs first; see README.md for the two commands.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp
NODE_STAMP := node_modules/.setup-stamp

.PHONY: setup try test lint bench clean format docs

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml scripts/setup.sh
	PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh
	touch $@

$(NODE_STAMP): package-lock.json
	npm ci --silent --no-progress
	touch $@

try: setup
	$(BIN)/sirdab try --yes

test: setup
	$(BIN)/python scripts/prepare_tests.py
	$(BIN)/python -m pytest

lint: setup $(NODE_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	npx --no-install pyright --pythonpath $(BIN)/python
	npx --no-install stylua --check clients/neovim tests/e2e
	sh scripts/luacheck.sh

format: setup $(NODE_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npx --no-install stylua clients/neovim tests/e2e

# Rewrites every file that is generated from the settings schema.
docs: setup
	$(BIN)/python -m sirdab.config.generate

bench: setup
	$(BIN)/python -m bench.overhead
	$(BIN)/python -m bench.typing

clean:
	rm -rf $(VENV) node_modules dist build .pytest_cache .ruff_cache .hypothesis .artifacts
