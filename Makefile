# Every target sets up what it needs: a virtual environment in .venv, the package, the core.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := build
# Of the package; the C++ tests are built beside it from the same objects, with warnings as errors where tests are run.
PACKAGE := $(BUILD)/package
test test-all cpp-test: WERROR = -Ccmake.define.TOPES_WERROR=ON
CMAKE_FLAGS = -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN)/ninja) \
	-DCMAKE_PREFIX_PATH=$(shell $(BIN)/python -c "import sysconfig; print(sysconfig.get_paths()['purelib'])") -DTOPES_WERROR=ON
JOBS ?= 2
# Tests run side by side: threads of a matrix library within each would only be in each other's way.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

.PHONY: all demo test test-all nightly lint python-test cpp-test sanitize bench docs wheel clean
all: $(VENV)/.installed

# Tools first (no build isolation: one set of build requirements), then the package from this folder.
$(VENV)/.tools: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10) and 'topes needs Python >= 3.10; set PYTHON=')"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --group dev --group bench
	touch $@

$(VENV)/.installed: $(VENV)/.tools CMakeLists.txt $(shell find cpp/src cpp/include cpp/bindings -type f) README.md
	$(BIN)/python -m pip install --quiet --no-build-isolation -Cbuild-dir=$(PACKAGE) $(WERROR) --editable ".[plot]"
	touch $@

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py demo-output

test: lint cpp-test python-test

# The long profile: many more examples, large cases, sanitizers, a wheel in an empty environment.
test-all: lint sanitize wheel docs cpp-test nightly

# Its Python part, which takes the longest.
nightly: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet "torch>=2.4"
	TOPES_PROFILE=nightly $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "large or not large" tests
	$(BIN)/python -m pytest --doctest-modules python/topes

lint: $(VENV)/.installed
	$(BIN)/ruff check python tests examples bench
	$(BIN)/mypy

python-test: $(VENV)/.installed
	TOPES_PROFILE=$${TOPES_PROFILE:-ci} $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not large" tests
	$(BIN)/python -m pytest --doctest-modules python/topes

cpp-test: $(VENV)/.installed
	$(BIN)/cmake -S . -B $(PACKAGE) -DTOPES_BUILD_TESTS=ON -DTOPES_WERROR=ON
	$(BIN)/cmake --build $(PACKAGE) --parallel $(JOBS)
	$(BIN)/ctest --test-dir $(PACKAGE) --output-on-failure --parallel $(JOBS)

sanitize: $(VENV)/.tools
	for s in address,undefined thread; do \
	  $(BIN)/cmake -S . -B $(BUILD)/sanitize-$${s%%,*} $(CMAKE_FLAGS) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTOPES_SANITIZE=$$s && \
	  $(BIN)/cmake --build $(BUILD)/sanitize-$${s%%,*} --parallel $(JOBS) && \
	  $(BIN)/ctest --test-dir $(BUILD)/sanitize-$${s%%,*} --output-on-failure --parallel $(JOBS) || exit 1; \
	done

bench: $(VENV)/.installed
	$(BIN)/cmake -S . -B $(BUILD)/bench $(CMAKE_FLAGS) -DTOPES_BUILD_TESTS=OFF -DTOPES_BUILD_BENCH=ON
	$(BIN)/cmake --build $(BUILD)/bench --parallel $(JOBS)
	for b in ladder threads patterns pricing sample solid_angles; do $(BUILD)/bench/bench/cpp/$$b || exit 1; done
	for b in training low_rank linear_cnn sampling zonotope theorems jobs; do $(BIN)/python bench/$$b.py || exit 1; done

# Warnings are errors; tutorials and gallery are run.
docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs $(BUILD)/docs

wheel: $(VENV)/.tools
	rm -rf dist $(BUILD)/wheel-env
	$(BIN)/python -m build
	$(PYTHON) -m venv $(BUILD)/wheel-env
	$(BUILD)/wheel-env/bin/python -m pip install --quiet dist/*.whl
	cd $(BUILD) && wheel-env/bin/python -c "import topes; assert topes.Arrangement([[1, 0], [0, 1], [1, 1]]).count() == 6"
	cd $(BUILD) && wheel-env/bin/topes --help > /dev/null

clean:
	rm -rf $(BUILD) $(VENV) dist demo-output
