#!/bin/sh
# Locks what pyproject.toml asks for: hashes, and no addresses. `make lock` runs it.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 "$@"; }
grep '^uv==' requirements/bootstrap.txt | cut -d' ' -f1 | compile - -o requirements/bootstrap.txt
compile pyproject.toml --extra app -o requirements/functions.txt
compile --group gemini -c requirements/functions.txt -o requirements/gemini.txt
compile --group ingest -c requirements/functions.txt -o requirements/ingest.txt
compile pyproject.toml --extra app --group infra -c requirements/functions.txt -o requirements/infra.txt
compile pyproject.toml --extra app --group dev -c requirements/infra.txt -o requirements/dev.txt
# Only these themselves: one asks for PyTorch, which the benchmark does without.
compile --no-deps --group bench -c requirements/dev.txt -o requirements/bench.txt
# What assistants need besides. Where .venv has a package, it is the version there: make dev imports that one.
for own in */requirements.in */*/requirements.in; do
    [ -f "$own" ] || continue
    compile "$own" -c requirements/dev.txt -o "${own%.in}.txt"
done
