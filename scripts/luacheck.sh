#!/bin/sh
# Checks the Neovim client with luacheck where it is installed. It is the one linter that
# neither pip nor npm can bring, so its absence is said and is no failure.
set -eu
cd "$(dirname "$0")/.."
if ! command -v luacheck >/dev/null 2>&1; then
    echo "luacheck: skipped, it is not installed (Debian: apt-get install lua-check; elsewhere: luarocks install luacheck)"
    exit 0
fi
exec luacheck --quiet clients/neovim
