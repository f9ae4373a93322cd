#!/usr/bin/env bash
# Components with a language's whole runtime inside, too large to be committed: built from package registries, loaded,
# listed and called. JavaScript on StarlingMonkey and on QuickJS, Python on CPython.
#
#   tests/languages/run.sh XTASK BINARY FOLDER
#
# FOLDER keeps the toolchains and the components for the next run.
set -euo pipefail
xtask=$1 binary=$2 folder=$3
mkdir -p "$folder"
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
export XDG_CONFIG_HOME=$store/config
"$xtask" guests time-server time-server-starlingmonkey eval --tools "$folder/tools" --out "$folder/built"

passed=0 failed=0
# Calls a tool and compares what it prints with a pattern of the shell.
expect() {
    local what=$1 pattern=$2 printed
    shift 2
    printed=$("$binary" --component-dir "$store/store" -o table tool invoke "$@" 2>&1) || true
    # shellcheck disable=SC2053
    if [[ $printed == $pattern ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s printed: %s\n' "$what" "$printed"
    fi
}
load() { "$binary" --component-dir "$store/store" -q component load "$1" > /dev/null; }

moment='{"seconds": 1795253400, "format": "%Y-%m-%d"}'
for engine in time-server-starlingmonkey time-server; do
    load "$folder/built/$engine.wasm"
    expect "$engine" '20??-??-??T??:??:??Z' "$engine/get-current-time"
    expect "$engine" 2026-11-21 "$engine/format-timestamp" --args "$moment"
    expect "$engine" 'error: *' "$engine/format-timestamp" --args '{"seconds": 1, "format": "%q"}'
done
load "$folder/built/eval.wasm"
expect eval 3 eval/eval --args '{"expression": "1 + 2"}'
expect eval 'error: *' eval/eval --args '{"expression": "open(\"/etc/passwd\")"}'
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
