# Needs Python 3.11 or newer, git and make; everything else is installed into $(VENV).
#   make demo    solve the flagship study and write its report
#   make test    lint, types, import order, tests and doctests
#   make docs    build the documentation into site/
#   make calibrate  refit training, serving, generation, recommenders and reported PUE to measurements and print
#                   their errors
#                   (or one of them: make calibrate-training, calibrate-serving, ...)
#   make clean   remove what these commands made

VENV ?= .venv
STUDY ?= studies/bytedance-2026.yaml
OUT ?= runs/$(basename $(notdir $(STUDY)))
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$candidate"; break; }; done)
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

TRUTH = $(or $(GIGAWRIGHT_SHARED),../shared)/truth
RUNS ?= $(TRUTH)/training_runs.csv
FAMILIES ?= benchmarks/training_families.csv
SILICON ?= $(TRUTH)/serving_silicon.csv
PUBLISHED ?= $(TRUTH)/serving_published.csv
OTHERS ?= $(TRUTH)/other_workloads.csv
SITES ?= $(TRUTH)/pue.csv

CALIBRATIONS = calibrate-training calibrate-serving calibrate-generation calibrate-recommender calibrate-pue

.PHONY: demo test docs calibrate $(CALIBRATIONS) clean
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

calibrate: $(CALIBRATIONS)

# What is missing is told with the variable that gives it: $(call measured,VARIABLE,what it holds).
measured = @test -f "$($(1))" || { echo "no measured $(2) at $($(1)); give their file with $(1)=..." >&2; exit 1; }

calibrate-training: $(VENV)/.installed
	$(call measured,RUNS,runs)
	$(VENV)/bin/gigawright calibrate training "$(RUNS)" --families "$(FAMILIES)"

calibrate-serving: $(VENV)/.installed
	$(call measured,SILICON,configurations of engines)
	$(call measured,PUBLISHED,throughput)
	$(VENV)/bin/gigawright calibrate serving "$(SILICON)" "$(PUBLISHED)" --folds benchmarks/serving_folds.csv

calibrate-generation calibrate-recommender: calibrate-%: $(VENV)/.installed
	$(call measured,OTHERS,workloads)
	$(VENV)/bin/gigawright calibrate $* "$(OTHERS)" --folds benchmarks/$*_folds.csv

calibrate-pue: $(VENV)/.installed
	$(call measured,SITES,PUE)
	$(VENV)/bin/gigawright calibrate pue "$(SITES)" --folds benchmarks/pue_folds.csv

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
