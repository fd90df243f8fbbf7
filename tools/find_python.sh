#!/usr/bin/env bash
# Prints the newest usable Python from 3.13 down to 3.11: one that starts, can
# make a virtual environment and has its C headers.
set -euo pipefail

usable='
import os, sys, sysconfig
import ensurepip, venv
headers = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) or not os.path.exists(headers))
'
for name in python3.13 python3.12 python3.11 python3; do
  path=$(command -v "$name") || continue
  if "$path" -c "$usable" >/dev/null 2>&1; then
    echo "$path"
    exit 0
  fi
done
echo "No usable Python 3.11, 3.12 or 3.13 found (it needs venv and the C headers)" >&2
exit 1
