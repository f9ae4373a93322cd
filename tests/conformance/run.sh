#!/usr/bin/env bash
# Runs the protocol's official conformance suite against `wassette serve`, for each revision that it scores.
#
#   run.sh DIR BINARY
#
# DIR is what tests/clients/setup.sh filled; BINARY is the program `wassette`. What we do not pass yet stands in
# baseline-<revision>.yml with its reason: a failure that is not there fails this, and so does a line that passes by now.
# Of the scenarios that we pass in part, partial-<revision>.txt names the checks. Works in a temporary folder.
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: run.sh DIR BINARY" >&2; exit 2; }
directory=$(cd "$1" && pwd)
binary=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
suite=$directory/conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js
work=$(mktemp -d)
# shellcheck source=../clients/server.sh
. "$here/../clients/server.sh"
trap 'stop_server || true; rm -rf "$work"' EXIT

unset WASSETTE_COMPONENT_DIR WASSETTE_CONFIG_FILE
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/config" XDG_DATA_HOME="$work/home/data"
export PATH="$directory/bin:$PATH"
mkdir -p "$HOME"

# WIT has no names with underscores; the suite calls its fixtures by such names.
"$binary" --component-dir "$work/store" --quiet component load "$root/guests/built/conformance.wasm" \
    --rename test-simple-text=test_simple_text \
    --rename test-error-handling=test_error_handling > /dev/null
start_server "$work/store"

failed=0
for revision in 2026-07-28 2025-11-25; do
    results=$work/results-$revision
    status=0
    timeout --kill-after=5 300 node "$suite" server --url "$server_url" --requirements "$revision" \
        --expected-failures "$here/baseline-$revision.yml" --output-dir "$results" \
        > "$work/suite.log" 2>&1 < /dev/null || status=$?
    if [ "$status" -eq 0 ] && node "$here/partial.mjs" "$here/partial-$revision.txt" "$results"; then
        echo "ok     conformance $revision: $(sed -n 's/^Total: //p' "$work/suite.log"), failures as in the baseline"
    else
        failed=1
        echo "FAILED conformance $revision"
        sed -n '/=== SUMMARY/,$p' "$work/suite.log" | sed 's/^/    /'
    fi
done
stop_server || failed=1
exit "$failed"
