# Two commands do everything on a fresh machine: `make quickstart` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINE := tests/solvers/test_univariate.py

# One thread for linear algebra: the tests run side by side, and small matrices lose by threading.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MPLBACKEND := Agg
# Where Python may not keep what it has compiled, each of the many processes that the tests start compiles the house anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help quickstart quick test types oracles line page docs build format clean

help:
	@echo "make quickstart   fit a spline to real measurements: prints the result, writes quickstart.png"
	@echo "make quick        ruff, mypy and a small subset of the tests, for the loop of the day"
	@echo "make test         ruff, mypy and all tests"
	@echo "make docs         the documentation, offline, warnings as errors: docs/_build/html/index.html"
	@echo "make build        sdist and wheel in dist/, checked, and the wheel tried in a clean environment"
	@echo "make format       let ruff mend the layout of the code"
	@echo "make clean        remove the virtual environment and caches"

quickstart: $(VENV)/.installed
	$(BIN)/python examples/quickstart.py

quick: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 -q -m "not slow and not thorough" tests/structure tests/contracts/test_solution.py tests/contracts/test_bad_input.py tests/losses tests/network tests/oracle/test_search.py

# In a fresh clone mypy takes a minute of one core, and numba two to compile: the tests of the oracles and of the solver on
# the line call nearly all that is compiled, so that one process does it and not each of the two that follow. The first
# have one core; mypy, the line, and the page that the browser waits for have the other one meanwhile.
test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory --jobs 2 types oracles page line
	$(BIN)/python -m pytest -n 2 -q -m "not slow" --ignore=tests/oracle --ignore=tests/demo --ignore=$(LINE)

types: $(VENV)/.installed-dev
	$(BIN)/mypy

oracles: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m "not slow" tests/oracle

line: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m "not slow" $(LINE)

page: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -q -m "not slow" tests/demo

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build/html
	@echo "wrote docs/_build/html/index.html"

# What a user meets: the wheel in a clean environment, the command, a tiny problem, and the code of the README, run and
# typed. The tools have an environment of their own; both are thrown away.
define TINY_PROBLEM
import ridgesplines as rs
solution = rs.solve(rs.Problem([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 3.0], lam=0.1))
assert solution.certificate.scope == "exact" and solution.relative_gap < 1e-9, solution.summary()
print(solution.summary())
endef
export TINY_PROBLEM

build:
	rm -rf dist
	@set -eu; room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; set -x; \
	$(PYTHON) -m venv "$$room/tools"; \
	"$$room/tools/bin/python" -m pip install --quiet build twine; \
	"$$room/tools/bin/python" -m build --outdir dist .; \
	"$$room/tools/bin/python" -m twine check --strict dist/*; \
	$(PYTHON) -m venv "$$room/user"; \
	"$$room/user/bin/python" -m pip install --quiet dist/*.whl mypy pandas; \
	sed -n '/^```python$$/,/^```$$/{/^```/!p;}' README.md > "$$room/readme.py"; \
	cd "$$room"; \
	user/bin/ridgesplines --help; \
	user/bin/python -W error -c "$$TINY_PROBLEM"; \
	user/bin/python -W error readme.py; \
	user/bin/python -m mypy --strict readme.py

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) docs/_build docs/gallery docs/reference/generated .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
