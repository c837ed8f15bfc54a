# `make run` and `make test` are all that a new machine needs, beside Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint types tests docs docs-write screenshot vega bench soak clean

run: .venv/installed
	$(BIN)/pipeline run

# What CI runs, in the order of what fails fastest.
test: lint types tests docs

lint: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/installed-test
	$(BIN)/mypy

tests: .venv/installed-test
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

# README and docs hold what the code prints; `make docs-write` brings them up to date.
docs: .venv/installed-test
	$(BIN)/cog -P --check --check-fail-msg "Run make docs-write." -I docs README.md docs/operating.md docs/data-dictionary.md

docs-write: .venv/installed-test
	$(BIN)/cog -P -r -I docs README.md docs/operating.md docs/data-dictionary.md

# The picture of the page in the README; needs Chromium.
screenshot: .venv/installed-test
	$(BIN)/python docs/screenshot.py

# The script that draws the page's charts, from the versions in tools/vega; needs Node.js.
vega:
	cd tools/vega && npm ci --ignore-scripts && npm run build

bench: .venv/installed-test
	$(BIN)/python benchmarks/bench.py

soak: .venv/installed-test
	$(BIN)/python benchmarks/soak.py

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-test: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@touch $@ .venv/installed
