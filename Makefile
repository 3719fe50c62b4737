# `make up` runs the Redis, `make test` proves it. Works with GNU make 3.81 (macOS) and newer.
RUN := .venv/bin
ARGS ?=

# Two installs into one .venv would meet.
.NOTPARALLEL:
.PHONY: help up test check lint format bench drill-record picture lock clean cluster cluster-env cluster-fail cluster-cut cluster-return cluster-down cluster-build cluster-images test-cluster

help:
	@echo "make up       run the deployment on this machine (ARGS='--port 6380' passes options on)"
	@echo "make test     run the tests; says at the end which tiers did not run and why"
	@echo "make check    format check, ruff, mypy --strict, import-linter, then the tests"
	@echo "make lint     what make check does before the tests"
	@echo "make format   format the code"
	@echo "make bench    measure start-up and overhead against the bare server, in the same run"
	@echo "make drill-record  thousands of faults, an hour; writes docs/drill-record.md"
	@echo "make repair-record   damage folders and count the jobs that repair keeps (docs/drill-record.md)"
	@echo "make picture  draw the README's picture from a real run"
	@echo "make lock     renew requirements/*.txt (needs uv)"
	@echo "make clean    remove what make made"
	@echo "A Kubernetes of three nodes on this machine, as root (docs/cluster-tier.md):"
	@echo "make cluster         start it, or what of it does not run (GITOPS=1: build Argo CD, too)"
	@echo "make cluster-env     what a shell is told of it: eval \"\$$(make -s cluster-env)\""
	@echo "make test-cluster    the tests on it, or on the cluster of KUBECONFIG (ONLY=word or path)"
	@echo "make cluster-fail    crash a node (NODE=node1)"
	@echo "make cluster-cut     cut a node off"
	@echo "make cluster-return  undo either"
	@echo "make cluster-down    end it"
	@echo "make cluster-build   only build its binaries"
	@echo "make cluster-images  only make the tests' images, and print their paths"

.venv/runtime.stamp: requirements/runtime.txt requirements/build.txt pyproject.toml
	@scripts/venv runtime

.venv/dev.stamp: requirements/dev.txt requirements/build.txt pyproject.toml
	@scripts/venv dev

examples/bullmq/node_modules/.stamp: examples/bullmq/package-lock.json
	@scripts/node-packages

up: .venv/runtime.stamp
	@$(RUN)/python -c '' 2>/dev/null || scripts/venv runtime
	@exec $(RUN)/sturdis up $(ARGS)

test: .venv/dev.stamp examples/bullmq/node_modules/.stamp
	@$(RUN)/python -m pytest --ignore=tests/cluster $(ARGS)

# A cluster of three nodes from Go modules; docs/cluster-tier.md.
MACHINE := $(RUN)/python -m tests.cluster.machine
NODE ?= node1
ONLY ?=
# Not empty: Argo CD and Prometheus' operator are built too, for the tests that start them.
GITOPS ?=
cluster: .venv/dev.stamp examples/bullmq/node_modules/.stamp
	@scripts/trixie-packages
	@$(if $(GITOPS),$(MACHINE) build gitops)
	@$(MACHINE) up

cluster-build cluster-images: .venv/dev.stamp examples/bullmq/node_modules/.stamp
	@$(MACHINE) $(@:cluster-%=%)
	@$(if $(GITOPS),$(if $(findstring build,$@),$(MACHINE) build gitops))

cluster-down cluster-env:
	@$(MACHINE) $(@:cluster-%=%)

cluster-fail cluster-return cluster-cut:
	@$(MACHINE) $(@:cluster-%=%) $(NODE)

# A path, or a word of the tests' names.
test-cluster: .venv/dev.stamp examples/bullmq/node_modules/.stamp
	@STURDIS_TEST_CLUSTER=1 $(RUN)/python -m pytest \
	  $(if $(findstring /,$(ONLY)),$(ONLY),tests/cluster $(if $(ONLY),-k "$(ONLY)")) $(ARGS)

lint: .venv/dev.stamp
	@$(RUN)/ruff format --check --quiet .
	@$(RUN)/ruff check --quiet .
	@$(RUN)/mypy
	@$(RUN)/lint-imports --no-cache

check: lint test

format: .venv/dev.stamp
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix-only .

bench: .venv/dev.stamp
	@$(RUN)/python -m bench $(ARGS)

# Goes on where it was ended; ARGS="kill-9 --server redis-7.0 --fresh" takes one row again.
drill-record: .venv/dev.stamp examples/bullmq/node_modules/.stamp
	@$(RUN)/python -m record $(ARGS)

# Lines that docs/repair-record.jsonl has already are not made again.
repair-record: .venv/dev.stamp examples/bullmq/node_modules/.stamp
	@$(RUN)/python -m tests.repair.record $(ARGS)

picture: .venv/dev.stamp
	@$(RUN)/python scripts/picture.py docs/picture.svg

# Universal and hashed; no address is written, so any index serves.
LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
lock:
	$(LOCK) pyproject.toml -o requirements/runtime.txt
	$(LOCK) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	$(LOCK) --group build -o requirements/build.txt
	$(LOCK) --group checkov -o requirements/checkov.txt

clean:
	rm -rf .venv examples/bullmq/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
