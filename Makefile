# `make run` and `make test` are all that a new machine needs, beside Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint types tests coverage docs docs-check docs-write site screenshot vega bench soak clean

run: .venv/installed
	$(BIN)/pipeline run

# What CI runs, in the order of what fails fastest.
test: lint types tests docs-check

lint: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/installed-test
	$(BIN)/mypy

tests: .venv/installed-test
	$(BIN)/pytest -n 2 --dist worksteal

# The tests once more, with the lines and branches that none of them reaches; it takes a fifth longer, and fails nothing by itself.
coverage: .venv/installed-test
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

# The pages hold what the code prints: `docs-check` fails if a page differs or the strict build warns, `docs-write` updates them.
PAGES = README.md $(shell grep -rl --include='*.md' '\[\[\[cog' docs | LC_ALL=C sort)
SITE := build/docs/html

docs-check: .venv/installed-test site
	$(BIN)/cog -P --check --check-fail-msg "Run make docs-write." -I docs/_scripts $(PAGES)

docs-write: .venv/installed-test
	$(BIN)/cog -P -r -I docs/_scripts $(PAGES)

site: .venv/installed-test
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky -d build/docs/doctrees docs $(SITE)

docs: site
	$(BIN)/python -m http.server --bind localhost --directory $(SITE) 8000

# The picture of the page in the README; needs Chromium.
screenshot: .venv/installed-test
	$(BIN)/python docs/_scripts/screenshot.py

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
