#!/bin/sh
# Packages the VS Code extension and runs its unit tests, where there is a Node for it. Called by
# `make test` before the tests that drive a real VS Code, which install the package.
set -eu
cd "$(dirname "$0")/.."
if ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node, 10) < 20 ? 1 : 0)'; then
    echo "sirdab: the VS Code extension is not tested, because Node 20 or newer is not on this machine."
    exit 0
fi
make --no-print-directory vsix
cd clients/vscode
npm run --silent test
