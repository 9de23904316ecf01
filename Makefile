# MemexLLM. `make help` lists what there is; docs/README.md says where to read on.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

PREFIX ?= /usr/local
DESTDIR ?=
INPUT ?=
# Of make soak.
CYCLES ?= 2000
# Warnings are errors; STRICT=0 for toolchains newer than ours.
STRICT ?= 1

PY := .venv/bin/python
# What make services started, for the tests.
WITH_SERVICES := eval "$$(tools/services.sh env)";
QUIET := tools/quiet.sh
export PYTHONDONTWRITEBYTECODE := 1
PYTHON_FILES := python/hatch_build.py python/src tools \
	$(wildcard python/tests examples Benchmarks)

# ----------------------------------------------------------------------------------------------------
# The parts of `make test`. A part that is listed and has nothing to run fails; a part that is not
# written yet is not listed. ADD YOURS HERE when its first test lands:
#   test-swift     Tests/*Tests                  test-c        bindings/c and bindings/cpp
#   test-python    python/tests                  test-c-memory the same under valgrind and AddressSanitizer
#   test-misuse    Tests/C/misuse_matrix.c       test-misuse-memory
#   test-abi       the other tests in Tests/C    test-abi-memory
#   test-demo      examples
#   test-install   what is installed, used by a C and a C++ program
#   test-wheel     the wheel in a clean environment
# ----------------------------------------------------------------------------------------------------
TEST_PARTS := test-header test-tools test-swift test-c test-c-memory test-misuse test-abi test-abi-memory \
	test-python test-demo test-install test-wheel

# The tests of the C interface; the misuse matrix has targets of its own.
ABI_TESTS := $(filter-out Tests/C/misuse_matrix.c,$(wildcard Tests/C/*.c Tests/C/*.cpp))

# Those that each engine in files must pass; SQLite does with the others.
ENGINE_TESTS := Tests/C/kill9.c Tests/C/fork.c Tests/C/creation.c
OTHER_ENGINES := lmdb file

CHECK_PARTS := check-format check-warnings check-imports check-header check-generated check-python \
	check-exports check-traps check-sizes

##@ Start here

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what is missing (apt packages, .venv); costs nothing when run again
	@tools/setup.sh

.PHONY: demo
demo: build ## Keep, kill, reopen and show a conversation (INPUT=file.jsonl for your own)
	@$(call need,examples/demo.py)
	@$(PY) examples/demo.py $(if $(INPUT),--input '$(INPUT)')

.PHONY: test
test: services ## Run every test
	@for part in $(TEST_PARTS); do $(MAKE) "$$part" || { echo "make test: $$part failed" >&2; exit 1; }; done
	@echo "make test: all of $(words $(TEST_PARTS)) parts passed"

.PHONY: services
services: setup ## Start the servers that tests need, on loopback, with their data under build/services
	@tools/services.sh start

.PHONY: stop-services
stop-services: ## Stop them
	@tools/services.sh stop

.PHONY: check
check: build ## Check formats, warnings, imports, header, exports, traps, sizes, Python, generated files
	@failed=(); for part in $(CHECK_PARTS); do $(MAKE) "$$part" || failed+=("$$part"); done; \
	if [ $${#failed[@]} -gt 0 ]; then echo "make check: failed: $${failed[*]}" >&2; exit 1; fi; \
	echo "make check: all of $(words $(CHECK_PARTS)) parts passed"

##@ Build and install

.PHONY: build
build: setup ## Build the library into dist/
	@$(QUIET) "building the library into dist/" tools/build_library.sh

.PHONY: install
install: | dist/libmemex.so.0 ## Install dist/ under PREFIX (and DESTDIR)
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' tools/install.sh

dist/libmemex.so.0:
	@$(MAKE) build

.PHONY: wheel
wheel: build ## Build the wheel into dist/, with what it needs bundled
	@$(QUIET) -t 1 "building the wheel" tools/build_wheel.sh

.PHONY: reproducible
reproducible: setup ## Build in two folders: the results must be bit-identical
	@$(QUIET) -t 2 "building the library in two folders" tools/reproducible.sh

.PHONY: generate
generate: setup ## Write the generated files again
	@$(PY) tools/generate_python_ffi.py
	@$(PY) tools/generate_misuse_test.py

.PHONY: generate-vocabularies
generate-vocabularies: setup ## Make the built-in vocabularies again (fetches the rank files, or FROM=folder)
	@$(PY) tools/generate_vocabularies.py $(if $(FROM),--from '$(FROM)')

.PHONY: generate-unicode
generate-unicode: setup ## Make the table of characters for tokenizer files again
	@$(PY) tools/generate_unicode.py

.PHONY: format
format: setup ## Format Swift and Python sources in place
	@swift format --in-place --recursive Sources Package.swift $(wildcard Tests)
	@$(PY) -m isort --quiet --settings-path python/pyproject.toml $(PYTHON_FILES)
	@$(PY) -m black --quiet --config python/pyproject.toml $(PYTHON_FILES)

.PHONY: lock
lock: ## Lock the development dependencies again (needs Poetry)
	@cd python && poetry lock

.PHONY: clean
clean: ## Remove what was built (not .venv)
	rm -rf build dist .build python/src/memexllm/_native
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

##@ Parts of make test

.PHONY: test-swift
test-swift: setup ## Swift tests
	@$(WITH_SERVICES) $(QUIET) -t 1 "Swift tests" env MEMEX_STRICT=$(STRICT) \
		swift test --scratch-path build/debug --parallel

.PHONY: test-swift-address
test-swift-address: setup ## The same under AddressSanitizer
	@$(QUIET) -t 1 "Swift tests under AddressSanitizer" env MEMEX_SANITIZE=address ASAN_OPTIONS=detect_leaks=0 \
		SWIFT_BACKTRACE=enable=no swift test --sanitize=address --scratch-path build/debug-address

.PHONY: test-swift-thread
test-swift-thread: setup ## The same under ThreadSanitizer
	@$(QUIET) -t 1 "Swift tests under ThreadSanitizer" env MEMEX_SANITIZE=thread SWIFT_BACKTRACE=enable=no \
		swift test --sanitize=thread --scratch-path build/debug-thread

.PHONY: test-python
test-python: build ## Python tests
	@echo "==> Python tests"
	@$(WITH_SERVICES) cd python && PYTHONPATH=src ../$(PY) -m pytest --quiet -rs -p no:cacheprovider

.PHONY: test-python-versions
test-python-versions: build ## The same on every Python from 3.10 to 3.13 that is here; not in make test
	@tools/test_python_versions.sh

.PHONY: test-header
test-header: setup ## The headers alone: memex.h as C and C++, memex.hpp and its parts
	@$(QUIET) -t 1 "headers as C and C++" tools/test_header.sh

.PHONY: test-tools
test-tools: setup ## The checks and generators themselves
	@$(QUIET) -t 1 "tests of the tools" $(PY) -m pytest --quiet -p no:cacheprovider \
		-c python/pyproject.toml --rootdir . tools/tests

.PHONY: test-c
test-c: build ## The C and C++ programs of bindings/
	@tools/run_c_programs.sh plain bindings/c/*.c bindings/cpp/*.cpp

.PHONY: test-c-memory
test-c-memory: build asan-library ## The same under valgrind and AddressSanitizer
	@tools/run_c_programs.sh valgrind bindings/c/*.c bindings/cpp/*.cpp
	@tools/run_c_programs.sh asan bindings/c/*.c bindings/cpp/*.cpp

.PHONY: test-misuse
test-misuse: build ## Every function with every wrong handle (generated from the header)
	@MEMEX_PROGRAM_TAIL=1 tools/run_c_programs.sh plain Tests/C/misuse_matrix.c

.PHONY: test-misuse-memory
test-misuse-memory: asan-library ## The same under AddressSanitizer
	@MEMEX_PROGRAM_TAIL=1 tools/run_c_programs.sh asan Tests/C/misuse_matrix.c

.PHONY: test-abi
test-abi: build ## Callbacks, host state, fork, kill -9, syncs, memory running out, texts
	@MEMEX_PROGRAM_TAIL=2 tools/run_c_programs.sh plain $(ABI_TESTS)
	@$(foreach engine,$(OTHER_ENGINES),MEMEX_TEST_ENGINE=$(engine) MEMEX_KILL_CYCLES=100 MEMEX_CREATION_ROUNDS=100 \
		MEMEX_PROGRAM_TAIL=2 tools/run_c_programs.sh plain $(ENGINE_TESTS);)

.PHONY: test-abi-memory
test-abi-memory: asan-library ## The ones of them that AddressSanitizer can watch
	@MEMEX_PROGRAM_TAIL=1 tools/run_c_programs.sh asan Tests/C/hostile_callbacks.cpp Tests/C/text_matrix.c

.PHONY: test-demo
test-demo: build ## The demo: what it reads, what it refuses, how it ends
	@$(QUIET) -t 1 "the demo" $(PY) -m pytest --quiet -p no:cacheprovider -c python/pyproject.toml \
		--rootdir . examples

.PHONY: test-install
test-install: build ## Install into an empty folder; build and run programs with pkg-config alone
	@$(QUIET) -t 1 "the installed library" tools/test_install.sh

.PHONY: test-wheel
test-wheel: wheel ## The wheel in a clean environment, without Swift and the system's libraries
	@$(QUIET) -t 4 "the wheel in a clean environment" tools/test_wheel.sh

.PHONY: asan-library
asan-library: setup
	@$(QUIET) "building the library with AddressSanitizer" env MEMEX_DIST=1 MEMEX_SANITIZE=address \
		swift build -c release --product memex --sanitize=address --scratch-path build/asan

##@ Parts of make check

.PHONY: check-format
check-format: setup ## swift format
	@$(QUIET) "swift format" swift format lint --strict --recursive Sources Package.swift $(wildcard Tests)

.PHONY: check-warnings
check-warnings: setup ## Warnings as errors, tests included
	@$(QUIET) "Swift warnings" env MEMEX_STRICT=1 swift build --build-tests --scratch-path build/debug
	@$(QUIET) "C warnings" clang -fsyntax-only -std=c17 -Wall -Wextra -Werror \
		-ISources/CMemexShim/include -ISources/CMemexVocabularies/include \
		$(wildcard Sources/CMemexShim/*.c Sources/CMemexVocabularies/*.c)
	@$(QUIET) "C++ warnings" clang++ -fsyntax-only -std=c++17 -Wall -Wextra -Werror \
		-ISources/CMemexShim/include $(wildcard Sources/CMemexShim/*.cpp)
	@$(QUIET) "warnings of the tests in C" clang -fsyntax-only -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror \
		-Iinclude $(wildcard Tests/C/*.c)
	@$(QUIET) "warnings of the tests in C++" clang++ -fsyntax-only -std=c++17 -D_GNU_SOURCE -Wall -Wextra -Werror \
		-Iinclude -Ibindings/cpp $(wildcard Tests/C/*.cpp)
	@$(QUIET) "warnings of the programs in C" clang -fsyntax-only -std=c99 -Wall -Wextra -Wpedantic -Werror \
		-Iinclude $(wildcard bindings/c/*.c examples/*.c)
	@$(QUIET) "warnings of the programs in C++" clang++ -fsyntax-only -std=c++17 -Wall -Wextra -Wpedantic -Werror \
		-Iinclude -Ibindings/cpp $(wildcard bindings/cpp/*.cpp)

.PHONY: check-imports
check-imports: setup ## Imports run one way; no Foundation, Dispatch, concurrency
	@$(QUIET) -t 1 "imports" $(PY) tools/check_imports.py

.PHONY: check-header
check-header: test-header ## The headers alone, as C and C++

.PHONY: check-exports
check-exports: build ## Exports are the header's functions; how the library is linked
	@$(QUIET) -t 1 "exports and linking" $(PY) tools/check_exports.py

.PHONY: check-traps
check-traps: build ## No trap in the boundary and the JSON code
	@$(QUIET) -t 1 "traps" $(PY) tools/check_traps.py

.PHONY: check-sizes
check-sizes: setup ## No source file is longer than 400 lines without a reason
	@$(QUIET) -t 1 "sizes" $(PY) tools/check_sizes.py

.PHONY: check-generated
check-generated: setup ## Generated files are fresh
	@$(QUIET) "generated files" bash -c '$(PY) tools/generate_python_ffi.py --check && \
		$(PY) tools/generate_misuse_test.py --check && \
		$(PY) tools/generate_vocabularies.py --check'

.PHONY: check-python
check-python: setup ## Black, isort, Flake8, pylint, bandit, strict mypy
	@$(QUIET) "Black" $(PY) -m black --quiet --check --diff --config python/pyproject.toml $(PYTHON_FILES)
	@$(QUIET) "isort" $(PY) -m isort --quiet --check --diff --settings-path python/pyproject.toml $(PYTHON_FILES)
	@$(QUIET) "Flake8" $(PY) -m flake8 --config python/.flake8 $(PYTHON_FILES)
	@$(QUIET) "pylint" $(PY) -m pylint --rcfile python/pyproject.toml python/hatch_build.py \
		python/src/memexllm $(wildcard python/tests tools/*.py tools/tests/*.py)
	@$(QUIET) "bandit" $(PY) -m bandit --quiet --recursive --configfile python/pyproject.toml \
		python/src python/hatch_build.py
	@$(QUIET) "mypy" $(PY) -m mypy --config-file python/pyproject.toml --cache-dir build/mypy \
		python/src python/hatch_build.py $(wildcard python/tests tools/*.py tools/tests/*.py)

##@ Measure and torture

.PHONY: bench
bench: build ## Measure against what is there, into build/bench.json
	@$(call need,Benchmarks/run.py)
	@$(WITH_SERVICES) $(PY) Benchmarks/run.py

.PHONY: soak
soak: build services ## Kill writers 2,000 times, PostgreSQL 100 times; 20 failovers of Redis; fail every allocation, with a file too
	@$(WITH_SERVICES) cd python && MEMEX_POSTGRESQL_STOPS=100 PYTHONPATH=src ../$(PY) -m pytest --quiet -rs \
		-p no:cacheprovider tests/test_postgresql_servers.py -k immediate
	@$(WITH_SERVICES) cd python && MEMEX_REDIS_FAILOVERS=20 PYTHONPATH=src ../$(PY) -m pytest --quiet -rs -s \
		-p no:cacheprovider tests/test_redis_cluster.py -k failovers
	@MEMEX_KILL_CYCLES=$(CYCLES) MEMEX_CREATION_ROUNDS=$(CYCLES) MEMEX_PROGRAM_TIMEOUT=7200 \
		MEMEX_PROGRAM_TAIL=2 tools/run_c_programs.sh plain Tests/C/kill9.c Tests/C/creation.c
	@$(foreach engine,$(OTHER_ENGINES),MEMEX_TEST_ENGINE=$(engine) MEMEX_KILL_CYCLES=$(CYCLES) \
		MEMEX_CREATION_ROUNDS=$(CYCLES) MEMEX_PROGRAM_TIMEOUT=7200 MEMEX_PROGRAM_TAIL=2 \
		tools/run_c_programs.sh plain Tests/C/kill9.c Tests/C/creation.c;)
	@MEMEX_OOM_ALL=1 MEMEX_PROGRAM_TIMEOUT=7200 MEMEX_PROGRAM_TAIL=2 tools/run_c_programs.sh plain Tests/C/oom.c

.PHONY: fuzz-tokens
fuzz-tokens: build ## Compare the tokenizers with tiktoken on a million strings
	@$(PY) tools/fuzz_tokens.py

.PHONY: fuzz-tokenizer-files
fuzz-tokenizer-files: build ## Compare tokenizers from files with Hugging Face's, 100,000 strings a family
	@$(PY) tools/fuzz_tokenizer_files.py

.PHONY: fuzz
fuzz: setup fuzz-tokens fuzz-tokenizer-files ## Fuzz the scanner against jansson (FUZZ_SECONDS=600), the tokenizers against tiktoken
	@$(call need,tools/fuzz.sh)
	@tools/fuzz.sh

# Fails with a sentence when a file of a target has not been written yet.
need = [ -e $(1) ] || { echo "error: $(1) is not there yet" >&2; exit 1; }
