# Needs Python 3.11 or newer, git and make; everything else is installed into $(VENV).
#   make demo    solve the flagship study and write its report
#   make test    lint, types, import order, tests and doctests
#   make docs    build the documentation into site/
#   make calibrate  refit the training model to measured runs and print its errors
#   make clean   remove what these commands made

VENV ?= .venv
STUDY ?= studies/bytedance-2026.yaml
OUT ?= runs/$(basename $(notdir $(STUDY)))
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$candidate"; break; }; done)
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

RUNS ?= $(or $(GIGAWRIGHT_SHARED),../shared)/truth/training_runs.csv
FAMILIES ?= benchmarks/training_families.csv

.PHONY: demo test docs calibrate clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(VENV)/bin/gigawright run $(STUDY) --out $(OUT)

test: $(VENV)/.installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy --strict src
	$(VENV)/bin/lint-imports
	$(VENV)/bin/pytest -n 2

docs: $(VENV)/.installed-docs
	$(VENV)/bin/zensical build --clean

calibrate: $(VENV)/.installed
	@test -f "$(RUNS)" || { echo "no measured runs at $(RUNS); give their file with RUNS=..." >&2; exit 1; }
	$(VENV)/bin/gigawright calibrate training "$(RUNS)" --families "$(FAMILIES)"

clean:
	rm -rf $(VENV) runs site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "gigawright needs Python 3.11 or newer, as python3 on the PATH" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp is older than pyproject.toml or constraints.txt exactly when something must be installed again.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) --editable ".[test]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) --editable ".[docs]"
	@touch $@
