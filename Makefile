# make demo | test | slow | bench | clean. Needs python3 >= 3.10 with pip; everything else goes into .venv.
# Another interpreter: make test PYTHON=python3.12
export PYTHON ?= python3
BIN := .venv/bin
# Which slow tests `make slow` runs: those whose turn it is today, or SLOW=all (tests/rotation.py).
SLOW ?= only-share
# Other libraries come from interpreters of their own: make bench PEERS="--python jax=/path/to/python"
PEERS ?=

.PHONY: demo test slow bench clean

demo:
	@bash .ci/environment
	$(BIN)/python -m symgraph.keras examples/mnist_mlp.py --data digits --plot model.svg

test:
	@bash .ci/test

slow:
	@bash .ci/environment
	$(BIN)/python -m pytest -n auto --dist worksteal --slow=$(SLOW)

bench:
	@bash .ci/environment
	$(BIN)/python benchmarks/mlp.py $(PEERS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis model.svg model.png model.dot
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
