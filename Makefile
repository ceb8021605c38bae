# Two commands matter: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
INPUT  ?= real
MINUTES ?= 20
SEED   ?= 1
STORM  ?= 3000
# Two at a time, each with a Kafka of its own; servers that are named are one cluster, and its topics are deleted.
ABREAST := -n $(if $(KAIROS_TEST_KAFKA),0,2 --dist load --maxschedchunk 1)
SHELL  := /bin/bash
.DEFAULT_GOAL := help

$(VENV)/.run: requirements/run.txt pyproject.toml
	@start=$$SECONDS; test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	echo "Installing Kairos into $(VENV) (hashed, pinned) ..."; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . && \
	echo "Installed in $$((SECONDS - start)) s." && touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@start=$$SECONDS; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt && \
	echo "Installed the tools in $$((SECONDS - start)) s." && touch $@

.PHONY: install
install: $(VENV)/.run  ## make the environment Kairos runs in

.PHONY: demo
demo: $(VENV)/.run  ## feed real events through a real Kafka and watch the engine decide (INPUT=simulated: the case)
	@$(BIN)/kairos demo --input $(INPUT)

.PHONY: test
test: $(VENV)/.dev static  ## everything: checks, every law on a hundred examples, and the tests that kill things, on a real Kafka
	@$(BIN)/python -m pytest -m "not kafka and not slow" -n auto
	@$(BIN)/python -m pytest -m "kafka or slow" $(ABREAST) --durations 6 --durations-min 20

.PHONY: check
check: $(VENV)/.dev static  ## format, lint, types, import contracts, doctests, fast tests, laws on a few examples (under a minute)
	@$(BIN)/python -m pytest -m "not kafka and not slow" --hypothesis-profile quick -n auto

.PHONY: static
static: $(VENV)/.dev
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy . && $(BIN)/lint-imports

.PHONY: faults
faults: $(VENV)/.dev
	@$(BIN)/python -m pytest -m "kafka or slow" $(ABREAST) --durations 6 --durations-min 20

.PHONY: soak
soak: $(VENV)/.dev  ## do every kind of harm for MINUTES=20, in the order of SEED=1; two judges say whether all is there once
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED) --storm $(STORM)

.PHONY: race
race: $(VENV)/.dev  ## 100,000 requests race for 10,000 coupons while three ledger workers are killed
	@$(BIN)/python -m tests.ledger_race

.PHONY: format
format: $(VENV)/.dev  ## write the code the way `make check` wants it
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

.PHONY: bench
bench: $(VENV)/.dev  ## speed, side by side with other engines; then rules, decisions, ledger, latency, backtests
	@$(BIN)/python -m bench
	@for part in rules estimate decision explain ledger latency backtest; do \
	  printf '\n## %s\n\n' $$part; $(BIN)/python -m bench $$part || exit 1; done

.PHONY: lock
lock:  ## resolve requirements/*.in again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links requirements/run.in -o requirements/run.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -c requirements/run.txt requirements/build.in -o requirements/build.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -c requirements/run.txt -c requirements/build.txt requirements/dev.in -o requirements/dev.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -c requirements/run.txt -c requirements/dev.txt requirements/tracing.in -o requirements/tracing.txt

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'
