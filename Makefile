# Every target sets up what it needs first; see README.md for the two commands.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp
NODE_STAMP := node_modules/.setup-stamp
VSCODE := clients/vscode
VSCODE_STAMP := $(VSCODE)/node_modules/.setup-stamp

.PHONY: setup try test lint bench clean format docs vsix

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml scripts/setup.sh
	PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh
	touch $@

$(NODE_STAMP): package-lock.json
	npm ci --silent --no-progress
	touch $@

# What bundles, packages and checks the VS Code extension. No script of a package is run.
$(VSCODE_STAMP): $(VSCODE)/package-lock.json
	cd $(VSCODE) && npm ci --silent --no-progress --ignore-scripts
	touch $@

# dist/sirdab-VERSION.vsix
vsix: setup $(VSCODE_STAMP)
	VENV="$(VENV)" sh scripts/build-vsix.sh

try: setup
	$(BIN)/sirdab try --yes

test: setup $(NODE_STAMP)
	sh scripts/test-vscode.sh
	$(BIN)/python scripts/prepare_tests.py
	$(BIN)/python -m pytest

lint: setup $(NODE_STAMP) $(VSCODE_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	npx --no-install pyright --pythonpath $(BIN)/python
	npx --no-install stylua --check clients/neovim tests/e2e
	sh scripts/luacheck.sh
	cd $(VSCODE) && npm run --silent check && npm run --silent lint

format: setup $(NODE_STAMP) $(VSCODE_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npx --no-install stylua clients/neovim tests/e2e
	cd $(VSCODE) && npm run --silent format

# Rewrites every file that is generated from the settings schema or the rules.
docs: setup
	$(BIN)/python -m sirdab.config.generate
	$(BIN)/python -m sirdab.review.document_rules

bench: vsix
	$(BIN)/python -m bench.overhead
	$(BIN)/python -m bench.typing
	$(BIN)/python -m bench.alternatives
	$(BIN)/python -m bench.read_ahead
	$(BIN)/python -m bench.replay
	$(BIN)/python -m bench.replay --patient --events 70 --most 70 --name replay_patient
	$(BIN)/python -m bench.debounce
	$(BIN)/python -m bench.guard
	$(BIN)/python -m bench.context
	$(BIN)/python -m bench.index
	$(BIN)/python -m bench.engine_options
	$(BIN)/python -m bench.stream
	$(BIN)/python -m bench.cancelling
	$(BIN)/python -m bench.discovery
	$(BIN)/python -m bench.secrets
	$(BIN)/python -m bench.chat
	$(BIN)/python -m bench.signs
	$(BIN)/python -m bench.review
	$(BIN)/python -m bench.injection
	$(BIN)/python -m bench.preemption
	$(BIN)/python -m bench.neovim_overhead
	$(BIN)/python -m bench.vscode_overhead

clean:
	rm -rf $(VENV) node_modules $(VSCODE)/node_modules $(VSCODE)/server $(VSCODE)/dist dist build .pytest_cache .ruff_cache .hypothesis .artifacts
