#!/usr/bin/env bash
# Drives the MCP Inspector's command line, and has it lint every schema of the list.
#
#   inspector.sh DIR legacy|auto|modern stdio PROGRAM [ARGUMENT…]
#   inspector.sh DIR legacy|auto|modern http URL
#
# The server's store holds every guest, so that no schema of ours goes unseen; the list has more than one page.
set -euo pipefail

directory=$1 era=$2 kind=$3
shift 3
target=("$@")
# Its catalogue of servers is a file in the user's home.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MCP_CATALOG_PATH="$work/catalog.json"

revision=2026-07-28
[ "$era" != legacy ] || revision=2025-11-25

# Asks the server with the further flags $@ and sets `status`; answers are in $work/out, words in $work/err.
ask() {
    local flags=(--protocol-era "$era" --format json "$@")
    # The server's address comes before the flags, its command after them.
    if [ "$kind" = stdio ]; then
        flags=("${flags[@]}" -- "${target[@]}")
    else
        flags=("${target[@]}" --transport http "${flags[@]}")
    fi
    status=0
    node "$directory/inspector/node_modules/.bin/mcp-inspector" --cli "${flags[@]}" \
        > "$work/out" 2> "$work/err" < /dev/null || status=$?
}

fail() {
    echo "error: $*" >&2
    head -c 4000 "$work/out" >&2
    head -c 4000 "$work/err" >&2
    exit 1
}

# True if the answer, as `result`, makes the JavaScript expression $1 true.
holds() {
    node -e '
        const { result } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
        process.exit(eval(process.argv[2]) ? 0 : 1);
    ' "$work/out" "$1"
}

ask --method initialize
[ "$status" -eq 0 ] || fail "initialize ended with $status"
holds "JSON.stringify(result).includes('$revision')" || fail "the revision is not $revision"

# 6 is a schema that some host refuses; a warning is only said on standard error.
ask --method tools/list --strict
[ "$status" -eq 0 ] || fail "the lint ended with $status"
! grep -qi -e portab -e schema "$work/err" || fail "the lint has warnings"
holds 'result.tools.length > 100 && result.tools.some((tool) => tool.name === "search-tools")' \
    || fail "the list is not whole"

ask --method tools/call --tool-name allocate --tool-args-json '{"mebibytes": 1}' -q
[ "$status" -eq 0 ] || fail "a call ended with $status"
holds 'result.structuredContent.result === 1 && !result.isError' || fail "a call has another result"

ask --method tools/call --tool-name allocate --tool-args-json '{"mebibytes": "one"}' -q
[ "$status" -eq 5 ] || fail "bad arguments ended with $status, not with 5 for isError"
holds 'result.isError && result.content[0].text.includes("arguments.mebibytes")' || fail "bad arguments are not named"

ask --method tools/call --tool-name fail --tool-args-json '{"message": "no luck"}' -q
[ "$status" -eq 5 ] || fail "a component's error ended with $status, not with 5 for isError"
holds 'result.content[0].text.includes("no luck") && !("structuredContent" in result)' || fail "the error is another"
