# Rowvault: everything that a checkout can do. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src -name '*.py' -o -name '*.pyx' -o -name '*.p[xy][di]' -o -name '*.h')
KERNEL := setup.py $(wildcard $(addprefix src/rowvault/codec/compiled/*.,pyx pxd h))
STATIC := setup.py src tests benchmarks

# pytest: `make test ARGS='tests/cli -k demo'`
ARGS ?=
# Each worker has servers of its own; `make test WORKERS=0 ARGS='-s ...'` shows what a test prints.
WORKERS ?= 2
# What `make quick` runs: what needs neither a server nor a mount, and does not take long.
QUICK := not slow and not mariadb and not mysql and not fuse and not shared
# `make soak HISTORIES=10 FIRST=31`: seeds 31 to 40.
HISTORIES ?= 100
FIRST ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test quick check lint soak bench fidelity docs clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 12

demo: $(VENV)/.installed ## build, then the main job on the embedded default, SQLite
	@$(BIN)/rowvault demo

test: $(VENV)/.dev lint ## everything: what is missing from apt, lint, types, layers, all tests
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

quick: $(VENV)/.dev ## tests without servers, fewer examples, the slow ones left out (under 90 s)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
		--hypothesis-profile quick -m "$(QUICK)" $(ARGS) $(addprefix tests/,unit kernel property cli)

check: $(VENV)/.dev lint ## all static checks: lint, format, types, layers

lint: $(VENV)/.dev
	$(BIN)/ruff check $(STATIC)
	$(BIN)/ruff format --check $(STATIC)
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: $(VENV)/.dev ## 100 random histories a vendor, of schemas, backups, prunes, kills and damage (hours)
	.ci/mysql-root >/dev/null
	ROWVAULT_TEST_HISTORIES=$(HISTORIES) ROWVAULT_TEST_FIRST=$(FIRST) \
		$(BIN)/pytest -n $(WORKERS) --dist load $(ARGS) tests/histories

bench: $(VENV)/.dev ## all benchmarks beside today's tools: docs/benchmarks.md; with ARGS one scenario
ifdef ARGS
	$(BIN)/python -m benchmarks.scenario $(ARGS)
else
	$(BIN)/python -m benchmarks.scenario backup --shop 1024 --rounds 5 --buffer-pool-mb 4096 \
		--out benchmarks/results/shop.json
	$(BIN)/python -m benchmarks.scenario backup --sysbench 4000000 --tables 4 --rounds 5 \
		--buffer-pool-mb 4096 --out benchmarks/results/sysbench.json
	$(BIN)/python -m benchmarks.scenario sizes --megabytes 64 256 1024 4096 --rounds 5 \
		--buffer-pool-mb 6144 --out benchmarks/results/sizes.json
	$(BIN)/python -m benchmarks.scenario restore --shop 1024 --rounds 5 --buffer-pool-mb 4096 \
		--out benchmarks/results/restore-shop.json
	$(BIN)/python -m benchmarks.scenario restore --sysbench 4000000 --tables 4 --rounds 5 \
		--buffer-pool-mb 4096 --out benchmarks/results/restore-sysbench.json
	$(BIN)/python -m benchmarks.scenario.mount_read -o benchmarks/results/mount.json
	$(BIN)/python -m benchmarks.scenario growth --days 30 --scale 4 \
		--out benchmarks/results/growth.json
	$(BIN)/python -m benchmarks.scenario growth --sysbench 1000000 --rounds 5 \
		--out benchmarks/results/growth-sysbench.json
	$(BIN)/python -m benchmarks.scenario least --buffer-pool-mb 4096 \
		--out benchmarks/results/least.json
	$(BIN)/python -m benchmarks.scenario memory --buffer-pool-mb 4096 \
		--out benchmarks/results/memory.json
	$(BIN)/python -m benchmarks.scenario balance --rounds 5 --buffer-pool-mb 4096 \
		--out benchmarks/results/balance.json
	$(BIN)/python -m benchmarks.micro -o benchmarks/results/micro.json
	$(BIN)/python -m benchmarks.scenario.report benchmarks/results/*.json
endif

fidelity: $(VENV)/.dev ## what comes back, tool by tool: docs/fidelity-compared.md
	.ci/mysql-root >/dev/null
	-$(BIN)/python -m benchmarks.fidelity mariadb --keep
	-$(BIN)/python -m benchmarks.fidelity mysql --keep
	$(BIN)/python -m benchmarks.fidelity.report

docs: $(VENV)/.dev ## write docs/reference/cli.md and fidelity.md anew from help and tests
	$(BIN)/python tests/cli/reference.py > docs/reference/cli.md.new
	mv docs/reference/cli.md.new docs/reference/cli.md
	PYTHONPATH=tests $(BIN)/python -m fidelity.page > docs/reference/fidelity.md.new
	mv docs/reference/fidelity.md.new docs/reference/fidelity.md

clean: ## remove the environment and everything built
	rm -rf $(VENV) build dist src/*.egg-info src/rowvault/codec/compiled/*.c
	find src -name '*.so' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp below is newer than what it was made from; nothing is done twice.

$(VENV)/.made:
	.ci/make-venv $(PYTHON) $(VENV)
	touch $@

# A development environment serves the demo too: it runs from the sources.
$(VENV)/.installed: $(VENV)/.made pyproject.toml setup.py $(SOURCES)
	@if [ -e $(VENV)/.dev ]; then $(MAKE) --no-print-directory $(VENV)/.dev; \
	else $(BIN)/pip install --quiet . && rm -rf build; fi
	touch $@

$(VENV)/.system: $(VENV)/.made
	.ci/system-packages
	touch $@

$(VENV)/.dev: $(VENV)/.system pyproject.toml $(KERNEL)
	$(BIN)/pip install --quiet --editable '.[dev,mount]'
	# As an installation does; the tests start the command hundreds of times.
	$(BIN)/python -m compileall -q src
	touch $@
