#!/bin/sh
# Resolves pyproject.toml into requirements/*.txt: exact versions with hashes and
# no index address, for every platform at once. Needs uv on PATH; only the
# maintainer who changes a dependency runs it.
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
        --python-version 3.11 "$@" pyproject.toml --output-file "requirements/$out"
}
lock base.txt
lock embedded.txt --extra embedded
lock dev.txt --extra embedded --extra dev
