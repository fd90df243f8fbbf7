# Seagrove's commands; `make help` lists them.
#
# Everything lands in .venv/ and build/. A target is redone only where its
# inputs changed: stamps in .venv/ hold the times.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
JOBS ?= $(shell nproc)
# Versions of Triton that the adapter's contract test runs against, besides the
# one in .venv. They are unpacked, not installed.
TRITON_VERSIONS ?= 3.7.1 3.8.0 3.9.0
export SEAGROVE_TRITON_WHEELS := $(abspath $(VENV))/triton-wheels
PYTEST_ARGS ?=
RUN_ARGS ?=

STAMPS := $(VENV)/stamps
BIN := $(abspath $(VENV))/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
export PATH := $(BIN):$(PATH)
export SEAGROVE_JOBS := $(JOBS)

NATIVE_SOURCES := $(shell find CMakeLists.txt cmake include lib bin python/src third_party \
  -type f -not -path '*/test/*' -not -name '*.py' -not -name '*.md' 2>/dev/null)
PYTHON_SOURCES := setup.py pyproject.toml $(shell find python/seagrove third_party \
  -type f \( -name '*.py' -o -name '*.pyi' -o -name '*.json' \) -not -path '*/test/*' 2>/dev/null)

##@ Use

.PHONY: run
run: install ## set everything up, run the examples on this machine's CPU
	@$(PY) -m seagrove doctor
	@$(PY) examples/run_all.py $(RUN_ARGS)

.PHONY: test
test: install triton-wheels ## everything that CI runs: lit, style gates, pytest
	@$(MAKE) --no-print-directory --keep-going lit gates pytest narrow emulated

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

##@ Build

.PHONY: setup
setup: $(STAMPS)/venv ## system packages and .venv with the pinned tools

.PHONY: system
system:
	@tools/install_system_packages.sh

$(STAMPS)/venv: requirements/dev.lock | system
	@test -x $(PY) || { python=$$(tools/find_python.sh); echo "Making $(VENV) with $$python"; $$python -m venv $(VENV); }
	$(PIP) install -q -r requirements/dev.lock
	@mkdir -p $(STAMPS) && touch $@

.PHONY: build
build: install ## compile what changed and install it into .venv

.PHONY: install
install: $(STAMPS)/install

# The wheel is not compressed on this way: it is unpacked at once.
$(STAMPS)/install: $(STAMPS)/venv $(NATIVE_SOURCES) $(PYTHON_SOURCES)
	$(PIP) install -q --no-build-isolation --no-deps --force-reinstall \
	  --config-settings=--build-option=--compression=stored .
	@touch $@

.PHONY: wheel
wheel: $(STAMPS)/venv ## a compressed wheel in dist/
	$(PIP) wheel -q --no-build-isolation --no-deps -w dist .
	@ls -sh dist/*.whl

.PHONY: lock
lock: ## renew requirements/dev.lock from requirements/dev.txt
	@PY=$$(tools/find_python.sh) tools/lock_requirements.sh

.PHONY: clean
clean: ## remove what was built, keep .venv
	rm -rf build dist python/*.egg-info

##@ Check

.PHONY: lit
lit: install ## the compiler's own tests, one file per pass
	@$(BIN)/lit -q -j $(JOBS) test $(wildcard third_party/*/test)

# What `make system` installs is there, so its absence is a failure and no reason to skip.
.PHONY: pytest
pytest: export SEAGROVE_REQUIRE_EMULATED := 1
pytest: install ## Python, numeric and conformance tests
	@$(PY) -m pytest -q -n $(JOBS) --dist=loadgroup $(PYTEST_ARGS) \
	  $(wildcard test/python test/numeric test/inductor test/conformance test/differential third_party/*/test)

.PHONY: narrow
narrow: install ## kernels again for the narrower targets that this machine can run
	@targets=$$($(PY) tools/narrower_targets.py) && for target in $$targets; do echo "$$target:"; \
	  SEAGROVE_CPU_TARGET=$$target $(PY) -m pytest -q -n $(JOBS) --dist=loadgroup \
	    test/numeric test/conformance || exit 1; done

# Every Nth group of cases; 1 runs all of them.
EMULATED_SAMPLE ?= 10

.PHONY: emulated
emulated: install ## a sample of the conformance suite on processors under qemu
	@for device in aarch64 riscv64; do \
	  $(PY) -m pytest -q -n $(JOBS) --dist=loadgroup test/conformance --isolate \
	    --backend cpu:$$device --setting vector_bits=512 --sample $(EMULATED_SAMPLE); done

.PHONY: gates
gates: install ## style: names, limits, references, formatters, types
	@$(PY) -m pytest -q test/gates

.PHONY: triton-wheels
triton-wheels: $(TRITON_VERSIONS:%=$(SEAGROVE_TRITON_WHEELS)/%/.complete) ## the Triton versions that the contract test imports

$(SEAGROVE_TRITON_WHEELS)/%/.complete: | $(STAMPS)/venv
	$(PIP) install -q --no-deps --upgrade --target $(@D) triton==$*
	@touch $@

.PHONY: format
format: $(STAMPS)/venv ## rewrite C++ and Python in the project's format
	@$(BIN)/ruff check -q --fix . || true
	@$(BIN)/ruff format -q .
	@$(PY) tools/clang_format.py

.PHONY: metrics
metrics: $(STAMPS)/venv ## sizes of files and functions, tested passes, copied lines
	@$(PY) tools/metrics.py

##@ Document

.PHONY: docs
docs: install ## renew the generated pages of docs/
	@$(PY) tools/gen_pass_reference.py
	@$(PY) tools/gen_dialect_reference.py
	@$(PY) tools/gen_errors.py
	@$(PY) tools/gen_life_of_a_kernel.py
	@$(PY) tools/gen_schedules.py
