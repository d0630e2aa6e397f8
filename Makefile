# `make run` and `make test` are all that a fresh clone needs: each sets up what it uses.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
INPUT ?=
OUT ?= out
SOAK ?= 100000
BENCH ?=

.PHONY: run test check soak bench clean

# Encode one film (INPUT=film; a generated clip if none is given) into the folder OUT.
run: $(VENV)/.ready
	$(BIN)/nommer encode "$(or $(INPUT),$(VENV)/sample/clip.mp4)" -o "$(OUT)" --if-exists replace

# Everything that CI checks.
test: $(VENV)/.ready-dev check
	$(BIN)/pytest -n auto --dist worksteal

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The simulation at full count, SOAK schedules, real services under faults, and nodes on pocket EC2.
soak: $(VENV)/.ready-dev
	NOMMER_SOAK=$(SOAK) $(BIN)/pytest -n auto tests/simulation tests/faults tests/acceptance/test_engines.py tests/contract/test_aws_mutants.py tests/contract/test_azurite_contract.py tests/pocket/test_pocket_encoding.py tests/integration/odd

# Figures, interleaved with those of bare ffmpeg where there are such: BENCH='--only a,i --quick'.
bench: $(VENV)/.ready-dev
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	$(BIN)/python tools/sample_clip.py $(VENV)/sample/clip.mp4
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@
