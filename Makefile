# make demo: see the bridge work, without a boiler.   make test: run the whole suite.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes that run the tests. More than half of the time a test waits for something, so that two
# cores have just enough to do for six.
JOBS ?= 6
# trial hands the tests out in this order: those in the browser take long, and at the end nobody
# shall wait for a long one alone.
FIRST := tests.web
TESTS := $(FIRST) $(filter-out $(FIRST),$(subst /,.,$(basename $(wildcard tests/test_*.py)) \
	$(patsubst %/__init__.py,%,$(wildcard tests/*/__init__.py))))

.PHONY: help demo test lint types wheel deb bench clean

help:
	@echo 'make demo   run the bridge between a simulated boiler and a simulated gateway'
	@echo 'make test   run the whole test suite'
	@echo 'make lint   check style (ruff);   make types   check types (mypy --strict)'
	@echo 'make wheel  build the wheel and try it in a fresh environment'
	@echo 'make deb    build the Debian package, for this architecture'
	@echo 'make bench  measure speed and memory'

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.checkers: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/python -m hargassner.cli.demo

# Hundreds of processes import the package: none of them has to compile it, whatever the
# environment says of that.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.installed
	$(BIN)/trial --jobs=$(JOBS) --temp-directory=$(VENV)/trial $(TESTS)

lint: $(VENV)/.checkers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.checkers
	$(BIN)/mypy --strict hargassner

wheel: $(VENV)/.checkers
	rm -rf build dist
	$(BIN)/python -m build --quiet --wheel
	rm -rf $(VENV)/wheel
	$(PYTHON) -m venv $(VENV)/wheel
	$(VENV)/wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd $(VENV)/wheel && bin/twist hargassner --help | grep -- --config > /dev/null
	cd $(VENV)/wheel && bin/hargassner --help > /dev/null

deb: $(VENV)/.checkers
	$(BIN)/python packaging/deb/build.py

bench: $(VENV)/.installed
	@for each in benchmarks/bench_*.py; do echo "== $$each"; $(BIN)/python $$each || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info _trial_temp*
