#!/bin/sh
# Makes the virtual environment with every pinned dependency (checked by hash) and
# the package itself, editable. Called by `make setup`.
set -eu
cd "$(dirname "$0")/.."
: "${PYTHON:=python3}" "${VENV:=.venv}"
if ! command -v "$PYTHON" >/dev/null; then
    echo "sirdab: there is no $PYTHON on this machine; Python 3.11 or newer is needed. Run: make setup PYTHON=python3.11" >&2
    exit 1
fi
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "sirdab: $PYTHON is $("$PYTHON" --version 2>&1); Python 3.11 or newer is needed. Run: make setup PYTHON=python3.11" >&2
    exit 1
fi
if ! "$PYTHON" -m venv "$VENV"; then
    echo "sirdab: could not make a virtual environment. On Debian run: apt-get install python3-venv" >&2
    exit 1
fi
PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_DISABLE_PIP_VERSION_CHECK
"$VENV/bin/python" -m pip install --quiet --require-hashes --no-deps -r requirements/dev.txt
"$VENV/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
