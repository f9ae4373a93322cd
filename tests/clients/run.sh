#!/usr/bin/env bash
# Drives a built Wassette with real MCP clients, each over stdio and HTTP and in every era that it speaks.
#
#   run.sh DIR BINARY
#
# DIR is what setup.sh filled; BINARY is the program `wassette`. A line a client; what a failing one said follows it.
# Ends with `N passed, N failed`, and fails if any did. Works in a temporary folder, and ends what it starts.
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: run.sh DIR BINARY" >&2; exit 2; }
directory=$(cd "$1" && pwd)
binary=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
component=$root/examples/text-stats/text-stats.wasm
work=$(mktemp -d)
# shellcheck source=server.sh
. "$here/server.sh"
trap 'stop_server || true; rm -rf "$work"' EXIT

# Nothing of the user's: neither a store, nor a configuration, nor a cache of Python's in the source tree.
unset WASSETTE_COMPONENT_DIR WASSETTE_CONFIG_FILE
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/config" XDG_DATA_HOME="$work/home/data"
export PYTHONDONTWRITEBYTECODE=1 PATH="$directory/bin:$PATH"
mkdir -p "$HOME"

passed=0
failed=0

# Runs one client, named $1, as the rest.
client() {
    local name=$1 started=$SECONDS
    shift
    if timeout --kill-after=5 120 "$@" > "$work/client.log" 2>&1 < /dev/null; then
        passed=$((passed + 1))
        printf 'ok     %-50s %3s s\n' "$name" $((SECONDS - started))
    else
        failed=$((failed + 1))
        printf 'FAILED %-50s %3s s\n' "$name" $((SECONDS - started))
        tail -n 60 "$work/client.log" | sed 's/^/    /'
    fi
}

load() {
    local store=$1
    shift
    for path in "$@"; do
        "$binary" --component-dir "$store" --quiet component load "$path" > /dev/null
    done
}

# JavaScript finds packages from where the file is.
place() {
    cp "$here/scenario.mjs" "$here/approvals.mjs" "$here/$2" "$directory/$1/"
    echo "$directory/$1/$2"
}
typescript_1=$(place typescript-1 ts_sdk_v1.mjs)
typescript_2=$(place typescript-2 ts_sdk_v2.mjs)

# The tools, with nobody who could be asked what may be loaded.
# Each client that starts its own server has a store of its own: what one leaves behind is not seen by the next.
prepared=$work/prepared
load "$prepared" "$root"/guests/built/{chaos,zoo}.wasm
fresh_command() {
    rm -rf "$work/store"
    cp -r "$prepared" "$work/store"
    command=(stdio "$binary" --component-dir "$work/store" run --approvals allow)
}

# Calls `client` with the name $1, and with the command $2… ended by where the server is.
over_both() {
    local name=$1
    shift
    fresh_command
    client "$name, stdio" "$@" "${command[@]}"
    client "$name, http" "$@" http "$server_url"
}

start_server "$prepared" --approvals allow
over_both "typescript sdk 1" node "$typescript_1" tools "$component"
over_both "python sdk 1" "$directory/python-1/bin/python" "$here/py_mcp1.py" tools "$component"
for mode in legacy auto 2026-07-28; do
    over_both "typescript client 2, $mode" node "$typescript_2" "$mode" tools "$component"
    over_both "python sdk 2, $mode" "$directory/python-2/bin/python" "$here/py_mcp2.py" "$mode" tools "$component"
done
stop_server || failed=$((failed + 1))

# The approvals, with the question that is put unless somebody says otherwise. What a person has decided holds for the
# server, so each client has one of its own.
decides() {
    local name="$1, approvals"
    shift
    rm -rf "$work/store"
    client "$name, stdio" "$@" stdio "$binary" --component-dir "$work/store" run
    rm -rf "$work/store"
    start_server "$work/store"
    client "$name, http" "$@" http "$server_url"
    stop_server || failed=$((failed + 1))
}
files=$root/guests/built/files.wasm
decides "typescript sdk 1" node "$typescript_1" approvals "$files"
decides "python sdk 1" "$directory/python-1/bin/python" "$here/py_mcp1.py" approvals "$files"
for mode in legacy auto 2026-07-28; do
    decides "typescript client 2, $mode" node "$typescript_2" "$mode" approvals "$files"
    decides "python sdk 2, $mode" "$directory/python-2/bin/python" "$here/py_mcp2.py" "$mode" approvals "$files"
done

everything=$work/everything
load "$everything" "$root"/guests/built/*.wasm "$root"/examples/*/*.wasm
start_server "$everything"
for era in legacy auto modern; do
    client "inspector, $era, stdio" "$here/inspector.sh" "$directory" "$era" \
        stdio "$binary" --component-dir "$everything" run
    client "inspector, $era, http" "$here/inspector.sh" "$directory" "$era" http "$server_url"
done
stop_server || failed=$((failed + 1))

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
