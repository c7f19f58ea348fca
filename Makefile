# Two commands: `make up` runs Morphora, `make test` tests it. Both set up what they need.
PYTHON ?= python3
PIP := .venv/bin/python -m pip --disable-pip-version-check -q
# --no-config: the override in pyproject.toml is for making the lock; it would undo the lock here.
UV := .venv/bin/uv pip install -q --no-config --no-deps --python .venv/bin/python

.PHONY: up install test prove test-deep test-faults check setup-test clean
up: .venv/.ready node_modules/.ready
	@exec .venv/bin/python -m config.embedded up

# Enough for manage.py, as in docs/verify.md.
install: .venv/.ready

test: setup-test
	@.venv/bin/python -m tests.suite

# What holds of the contracts for every input, and what static analysis says of them.
prove: node_modules/.ready .venv-contracts/.ready
	@node contracts/forge.mjs halmos
	@node contracts/forge.mjs slither

# The contract again: long fuzzing, proofs, static analysis, and whether these notice planted faults.
test-deep: setup-test prove
	node contracts/forge.mjs deep
	.venv/bin/python -m pytest -q -m deep tests/contracts

# Processes killed, replies lost, bytes flipped: all rounds; `make test` has a few of each.
test-faults: setup-test
	.venv/bin/python -m pytest -q -m faults tests/faults

check: setup-test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy .
	.venv/bin/python manage.py makemigrations --check --dry-run

setup-test: .venv/.ready-test node_modules/.ready

.venv/.torch: constraints.txt
	@sh config/preflight.sh "$(PYTHON)"
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo "Installing torch (CPU wheel about 200 MB, CUDA wheels several GB; see README)"
	@$(PIP) install -c constraints.txt torch uv
	@touch $@

.venv/.ready: .venv/.torch requirements.lock
	@$(UV) -r requirements.lock
	@touch $@

.venv/.ready-test: .venv/.ready requirements-test.lock
	@$(UV) -r requirements-test.lock
	@touch $@

# Beside the program's packages, which these two would hold back (web3 7).
.venv-contracts/.ready: contracts/requirements-deep.lock .venv/.torch
	@test -x .venv-contracts/bin/python || $(PYTHON) -m venv .venv-contracts
	@.venv/bin/uv pip install -q --no-config --no-deps --python .venv-contracts/bin/python -r contracts/requirements-deep.lock
	@touch $@

node_modules/.ready: package.json package-lock.json
	@sh config/preflight.sh "$(PYTHON)"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

clean:
	rm -rf .venv .venv-contracts node_modules var
