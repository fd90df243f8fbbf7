#!/usr/bin/env bash
# Writes requirements/dev.lock: the exact versions that requirements/dev.txt
# resolves to in an empty environment.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PY:-$(tools/find_python.sh)}" -m venv "$scratch"
"$scratch/bin/pip" install -q --disable-pip-version-check -r requirements/dev.txt
{
  echo "# Made by \`make lock\` from dev.txt; do not edit."
  "$scratch/bin/pip" freeze --all --exclude pip | sed 's/+cpu$//; s/ @ file:.*//'
} > requirements/dev.lock
