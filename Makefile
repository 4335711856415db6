# `make demo` and `make test` do everything on a fresh machine with Python 3.11 and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup demo test check lint types docs golden schema snapshots bench clean

setup: .venv/ready

.venv/ready: pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --upgrade "pip>=25.1"
	$(PY) -m pip install --quiet --editable . --group dev
	touch $@

demo: setup ## fine-tune a small model from a spec, on a CPU, and set it beside its base
	$(PY) examples/demo.py

test: setup ## everything, real trainers included
	$(PY) -m pytest

check: setup lint types ## the fast loop: about three minutes on two cores
	$(PY) -m pytest -q -n auto -m "not trainer"

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: setup # mypy cannot follow the package map; give it the wheel's layout as links
	mkdir -p build/types/tuneform
	for f in tuneform/*.py tuneform/py.typed spec compilers runtime; do ln -sfn ../../../$$f build/types/tuneform/; done
	$(PY) -m mypy

docs: setup ## write the pages of docs/ that are made from the code anew; then read the diff
	$(PY) -m tests.pages.write

golden: setup docs ## write the golden bundles and the schema anew, too; then read the diff
	$(PY) -m tests.golden.bundles
	$(PY) -m tests.wire.test_golden
	$(PY) -m tuneform schema > tuneform.schema.json

snapshots: setup ## the keys of the trainers' configs, from the trainers themselves
	$(PY) -m tests.oracles.snapshots

bench: setup ## figures side by side, as ratios
	$(PY) benchmarks/run.py
	$(PY) benchmarks/data.py

clean:
	rm -rf .venv build dist *.egg-info compiled runs
