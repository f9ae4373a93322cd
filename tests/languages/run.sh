#!/usr/bin/env bash
# Components with a language's whole runtime inside, too large to be committed: built from package registries, loaded,
# listed and called. JavaScript on StarlingMonkey and on QuickJS, Python on CPython. What a policy allows is the same for
# `fetch()` and `open()` as for any other component. All components are read by the tools of others.
#
#   tests/languages/run.sh XTASK BINARY LOOPBACK FOLDER
#
# LOOPBACK is the testkit's example with two web servers. FOLDER keeps the toolchains and the components for the next run.
set -euo pipefail
xtask=$1 binary=$2 loopback=$3 folder=$4
mkdir -p "$folder"
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
export XDG_CONFIG_HOME=$store/config
"$xtask" guests time-server time-server-starlingmonkey fetcher eval --tools "$folder/tools" --out "$folder/built"

passed=0 failed=0
wassette() { "$binary" --component-dir "$store/store" "$@"; }
# Calls a tool and compares what it prints with a pattern of the shell.
expect() {
    local what=$1 pattern=$2 printed
    shift 2
    printed=$(wassette -o table tool invoke "$@" 2>&1) || true
    # shellcheck disable=SC2053
    if [[ $printed == $pattern ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s printed: %s\n' "$what" "$printed"
    fi
}
load() { wassette -q component load "$1" > /dev/null; }
grant() { wassette -q permission grant "$@" > /dev/null; }

# What we put into components, the tools of others read: `jco wit` is `wasm-tools component wit`.
for component in "$folder"/built/*.wasm examples/*/*.wasm guests/built/*.wasm; do
    if printed=$("$folder/tools/jco/node_modules/.bin/jco" wit "$component" 2>&1) && [[ $printed == *'world root {'* ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: jco wit %s printed: %s\n' "$component" "$printed"
    fi
done
printed=$("$folder/tools/jco/node_modules/.bin/jco" wit examples/text-stats/text-stats.wasm)
if [[ $printed == *'/// Counts what is in a text. '*'/// Counts words: '* ]]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    printf 'FAILED: jco shows no documentation: %s\n' "$printed"
fi

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

# JavaScript: `fetch()` reaches the one server that a rule names, and the other not at all.
coproc servers { "$loopback" "$store/authority.pem"; }
read -r first <&"${servers[0]}"
read -r second <&"${servers[0]}"
mkdir -p "$XDG_CONFIG_HOME/wassette"
printf '[egress]\nca_bundle = "%s"\n' "$store/authority.pem" > "$XDG_CONFIG_HOME/wassette/config.toml"
load "$folder/built/fetcher.wasm"
expect 'fetch() without a policy' '*denied: *' fetcher/fetch-text --args "{\"url\": \"$first\"}"
grant network fetcher "${first%/}" --private
expect 'fetch()' '200 first' fetcher/fetch-text --args "{\"url\": \"$first\"}"
expect 'fetch() elsewhere' '*denied: *' fetcher/fetch-text --args "{\"url\": \"$second\"}"
exec {servers[1]}>&-
read -r seen <&"${servers[0]}"
if [ "$seen" = '1 0' ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED: the servers saw $seen"; fi

# Python: `open()` reads the one file that a rule names; those beside it can't be opened or looked at, and are not listed.
mkdir "$store/files"
printf hello > "$store/files/granted.txt"
printf secret > "$store/files/other.txt"
python() { expect "$1" "$2" eval/exec --args "{\"code\": \"import os\\n$3\"}"; }
python 'open() without a policy' '*denied: *' "open('$store/files/granted.txt')"
grant storage eval "fs://$store/files/granted.txt" --access read
python 'open()' hello "print(open('$store/files/granted.txt').read())"
python 'listdir()' "?'granted.txt'?" "print(os.listdir('$store/files'))"
for call in open os.stat os.listdir; do
    python "$call() elsewhere" 'error: *Error*' "$call('$store/files/other.txt')"
done
python 'open() to write' 'error: *Error*' "open('$store/files/granted.txt', 'w')"

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
