#!/bin/sh
# Packages the VS Code extension with the server's wheel in it: dist/sirdab-VERSION.vsix.
# Called by `make vsix`, which has set up Python and Node before.
set -eu
cd "$(dirname "$0")/.."
: "${VENV:=.venv}"
client=clients/vscode
rm -rf "$client/server"
mkdir -p "$client/server" dist
# The build backend is pinned in requirements/dev.txt; without isolation none is downloaded.
"$VENV/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --wheel-dir "$client/server" .
cp requirements/embedded.txt "$client/server/requirements.txt"
cp LICENSE CHANGELOG.md "$client/"
version=$("$VENV/bin/python" -c 'import sirdab; print(sirdab.__version__)')
vsix="dist/sirdab-$version.vsix"
# An older one must not be taken for this one when the packaging fails.
rm -f "$vsix"
cd "$client"
node scripts/bundle.mjs
npx --no-install vsce package --no-dependencies --allow-missing-repository --out "../../$vsix" >vsce.log 2>&1 || {
    cat vsce.log >&2
    exit 1
}
rm -f vsce.log
cd ../..
all=$(wc -c <"$vsix")
wheel=$(cat "$client"/server/*.whl | wc -c)
echo "$vsix: $((all / 1000)) kB, $(((all - wheel) / 1000)) kB without the server's wheel"
