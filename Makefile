# `make` prints what there is. Everything works on a fresh clone: each target sets up what it needs first.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTEST := .venv/bin/python -m pytest
# So many tests at a time; those of one file stay together (docs/adr/0073). WORKERS=0: one after the other.
WORKERS ?= 2
SIDE_BY_SIDE := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# The contracts' own targets (build, test, vendor); absent in a source distribution.
-include contracts/contracts.mk

.PHONY: help wheel demo up test test-java test-fast test-plain check format bench bench-search lock clean

help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{ printf "  make %-18s %s\n", $$1, $$2 }'

demo: ## publish, buy, compute and settle on real data, on this machine
	@scripts/setup demo
	@.venv/bin/insitu demo $$(test -t 1 && echo --stay)

up: ## run every service of a provider on this machine (port 8030)
	@scripts/setup run
	@.venv/bin/insitu up

test: ## run every test that this machine can run but for those on Kubernetes, slow ones last
	@scripts/setup test
	@$(if $(wildcard contracts/contracts.mk),$(MAKE) --no-print-directory test-contracts)
	@$(PYTEST) $(SIDE_BY_SIDE)

test-java: ## run the tests of the Java SDK, those with a real provider and with Spark too
	@scripts/setup spark
	@$(PYTEST) tests/java

test-fast: ## run the tests that take less than about two seconds each
	@scripts/setup test
	@$(PYTEST) $(SIDE_BY_SIDE) -m "not slow"

test-plain: ## run the fast tests of what concerns a user who is not root, as such a user
	@scripts/setup test
	@WORKERS=$(WORKERS) scripts/test-plain

check: ## format, lint, strict types, import layers, docs and their language, contracts (slither, ABIs, bindings), OpenAPI, JavaScript
	@scripts/setup check
	@scripts/check

format: ## format the Python sources and fix what ruff can fix
	@scripts/setup check
	@.venv/bin/ruff check --fix-only --quiet . ; .venv/bin/ruff format .

bench: ## measure our paths beside the peer or the floor of each
	@scripts/setup test
	@.venv/bin/python -m bench

bench-search: ## search 100,000 assets: PostgreSQL beside SQLite
	@scripts/setup test
	@.venv/bin/python -m bench.search

lock: ## write requirements.lock again (make lock UPGRADE=1 for newer versions)
	@scripts/setup check
	@scripts/lock $(if $(UPGRADE),--upgrade)

wheel: ## build the wheel that other machines install, into dist/
	@scripts/setup check
	@.venv/bin/uv build --quiet --wheel --no-build-isolation --out-dir dist . && ls dist/*.whl

clean: ## remove caches and build output; keeps .venv and data
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: cluster-up cluster-down test-cluster bench-cluster

cluster-up: ## start a real Kubernetes on this machine for tests (root; builds it the first time)
	@scripts/setup cluster
	@.venv/bin/python -m tests.cluster.testbed up --second-node

cluster-down: ## remove the test cluster without a trace
	@.venv/bin/python -m tests.cluster.testbed down

# Which of them: make test-cluster ON_CLUSTER="cluster and not thorough" is what CI has time for.
ON_CLUSTER ?= cluster

test-cluster: ## run the tests that need Kubernetes, on a cluster of their own (root; builds it the first time)
	@scripts/setup cluster
	@.venv/bin/python -m tests.cluster.testbed build
	@INSITU_REQUIRE=cluster,root,chain,$(INSITU_REQUIRE) $(PYTEST) -m "$(ON_CLUSTER)" tests/cluster tests/ports tests/hostile

bench-cluster: ## measure an execution on the test cluster beside three bare pods (root)
	@scripts/setup cluster
	@.venv/bin/python -m tests.cluster.testbed build
	@.venv/bin/python -m bench.cluster
