# `make run` serves on http://127.0.0.1:8000, `make test` checks and tests, `make test-slow` tests what
# takes longer. All make the environment first. Paths are relative, so that a space in the clone's
# path does no harm.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BENCH := .bench
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: run test test-slow test-on-another-database test-release-before check environment test-environment bench torture lock territories picture clean

run: environment
	@exec $(BIN)/python -m app serve

# Two processes share the tests, and who is done first takes from the other.
TEST := pytest -n 2 --dist worksteal

test: check
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m $(TEST) -m "not slow" $(PYTEST)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

# The rest: faults, the image, invented requests, the browser at length, large registers, more seeds.
test-slow: test-environment
	$(BIN)/python -m $(TEST) -m slow $(PYTEST)

# The tests that ask a database, on the server behind CHANCERY_TEST_DATABASE_URL.
test-on-another-database: test-environment
	$(BIN)/python -m $(TEST) -m "not slow" tests/queries tests/commands tests/migrations tests/api

# What another release asks of the database, tested on this one's schema: while this one takes over,
# the other one goes on. BEFORE is its commit.
test-release-before:
	@test -n "$(BEFORE)" || { echo "Say which: make test-release-before BEFORE=<commit>"; exit 1; }
	rm -rf $(BENCH)/before && mkdir -p $(BENCH)/before
	git archive $(BEFORE) | tar -x -C $(BENCH)/before
	cp migrations/versions/*.py $(BENCH)/before/migrations/versions
	$(MAKE) -C $(BENCH)/before test-environment
	cd $(BENCH)/before && $(BIN)/python -m pytest -n 2 --dist loadscope tests/queries tests/commands tests/api

check: test-environment
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

environment: $(VENV)/installed
test-environment: $(VENV)/test-installed

$(VENV)/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "chancery needs Python 3.11 or newer: install it, or run make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making the environment in $(VENV) (once; about a minute) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test-installed: $(VENV)/installed tests/requirements.lock
	@echo "Adding what the tests need ..."
	@$(PIP) --require-hashes -r tests/requirements.lock
	@touch $@

# Measures reading against other ways to read the same events: on a quiet machine, with wrk installed.
# Inventing a million events takes a quarter of an hour; they are kept for the next time.
bench: test-environment $(BENCH)/installed
	$(BIN)/python -m tests.benchmarks.reads --datasette $(BENCH)/bin/datasette --keep $(BENCH)/archive

$(BENCH)/installed: tests/benchmarks/requirements.lock
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

# The locks carry hashes and no addresses; uv only writes them and is not needed to use them.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header
lock:
	$(COMPILE) pyproject.toml --group build -o requirements.lock $(UPGRADE)
	$(COMPILE) pyproject.toml --group build --group test -c requirements.lock -o tests/requirements.lock $(UPGRADE)
	$(COMPILE) --group bench -o tests/benchmarks/requirements.lock $(UPGRADE)

# Makes app/data/territories.json anew from CLDR, ISO 3166 and the overlay.
territories: test-environment
	$(BIN)/python -m app.data.build_territories

# Takes the README's picture of the timeline anew.
picture: test-environment
	$(BIN)/python -m tests.browser.picture

# Kills, cuts off and fills up what the service stands on, for half an hour; prints the README's table.
torture: test-environment
	$(BIN)/python -m tests.faults.torture $(TORTURE)

clean:
	rm -rf $(VENV) $(BENCH) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
