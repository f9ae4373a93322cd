#!/usr/bin/env bash
# Secrets in the platform's keyring, with a real one: GNOME's, on a D-Bus of its own. What a component is given comes from
# there, no file of the store has it, and without a keyring nothing starts.
#
#   tests/keyring/run.sh FOLDER
#
# FOLDER is a target folder of cargo: with the feature `keyring` much is compiled that the usual build has otherwise.
set -euo pipefail
target=$(realpath -m "$1")
cd "$(dirname "$0")/../.."

if [ -z "${KEYRING_TEST_FOLDER:-}" ]; then
    missing=()
    command -v dbus-run-session > /dev/null && command -v dbus-send > /dev/null || missing+=(dbus)
    command -v gnome-keyring-daemon > /dev/null || missing+=(gnome-keyring)
    if [ ${#missing[@]} -gt 0 ]; then
        as_root=()
        [ "$(id -u)" -eq 0 ] || as_root=(sudo)
        "${as_root[@]}" apt-get update -q
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${missing[@]}"
    fi
    CARGO_TARGET_DIR=$target cargo build --workspace --features wassette/keyring --bin wassette --locked --quiet
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    mkdir -m 700 "$folder/run"
    # Nothing of the person's own session may be asked, or find itself changed.
    env -u DISPLAY -u WAYLAND_DISPLAY HOME="$folder" XDG_CONFIG_HOME="$folder/config" XDG_DATA_HOME="$folder/data" \
        XDG_RUNTIME_DIR="$folder/run" KEYRING_TEST_FOLDER="$folder" dbus-run-session -- tests/keyring/run.sh "$target" \
        2> "$folder/errors" || { cat "$folder/errors" && exit 1; }
    exit
fi

binary=$target/debug/wassette folder=$KEYRING_TEST_FOLDER
canary=canary-5e1f-keyring
passed=0 failed=0
wassette() { "$binary" --component-dir "$folder/store" -o table "$@" 2>&1 < /dev/null; }
check() {
    local what=$1
    shift
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED: $what"; fi
}
# Whether what the rest of the line prints is as a pattern of the shell says.
prints() {
    local pattern=$1 printed
    shift
    printed=$("$@") || true
    # shellcheck disable=SC2053
    [[ $printed == $pattern ]] || { printf '%s\n' "$printed" && return 1; }
}
succeeds() { "$@" > /dev/null; }
nowhere() { ! grep -rqF "$1" "$2"; }

# Its password is the empty line.
printf '\n' | gnome-keyring-daemon --foreground --unlock --components=secrets > "$folder/keyring.log" 2>&1 &
keyring=$!
trap 'kill "$keyring" 2> /dev/null || true; wait "$keyring" 2> /dev/null || true' EXIT
answers() {
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
        string:org.freedesktop.secrets | grep -q 'boolean true'
}
# How many values of ours it has.
items() {
    dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
        org.freedesktop.Secret.Service.SearchItems dict:string:string:service,wassette | grep -c 'object path'
}
for _ in $(seq 100); do answers && break || sleep 0.1; done
check 'there is a keyring' answers

mkdir -p "$XDG_CONFIG_HOME/wassette"
printf '[secrets]\nstore = "keyring"\n' > "$XDG_CONFIG_HOME/wassette/config.toml"
read_key=(wassette tool invoke env/read-variable --args '{"name": "API_KEY"}')
check load succeeds wassette -q component load guests/built/env.wasm
check grant succeeds wassette -q permission grant environment-variable env API_KEY
check 'no secret' prints '*null' "${read_key[@]}"
check set prints 'env: 1 secret set' wassette secret set env "API_KEY=$canary"
check names prints $'KEY*API_KEY' wassette secret list env
check values prints "*API_KEY*$canary" wassette secret list env --show-values --yes
check 'the file has the name' grep -rqF API_KEY "$folder/store/secrets"
check 'the store has no value' nowhere "$canary" "$folder/store"
check 'the keyring has the value' prints 1 items
# An answer has stars in the place of the very value.
check 'the component sees it' prints '\*\*\*\**' "${read_key[@]}"

no_keyring() { DBUS_SESSION_BUS_ADDRESS=unix:path=$folder/nobody "$@"; }
check 'no keyring, no call' prints 'error: no keyring answers*' no_keyring "${read_key[@]}"
check 'no keyring, no file' prints 'error: no keyring answers*' no_keyring wassette secret set env OTHER=x
check 'nothing was set' nowhere OTHER "$folder/store"

check delete prints 'env: 1 secret deleted' wassette secret delete env API_KEY
check 'the keyring has it no more' prints 0 items
check 'nor has the component' prints '*null' "${read_key[@]}"
check 'set again' prints 'env: 1 secret set' wassette secret set env "API_KEY=$canary"
check 'in the keyring again' prints 1 items
check unload succeeds wassette -q component unload env
check 'unloaded, forgotten' prints 0 items

check 'load again' succeeds wassette -q component load guests/built/env.wasm
check 'grant again' succeeds wassette -q permission grant environment-variable env API_KEY
check 'set for the third time' prints 'env: 1 secret set' wassette secret set env "API_KEY=$canary"
# Locked, it gives nothing, and no other source stands in. Nobody is there to be asked for the password.
dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login > /dev/null
check 'locked, no value' prints '*the keyring does not give it*null' "${read_key[@]}" --env API_KEY=other
check 'locked, nothing is set' prints 'error: the keyring cannot be used*' wassette secret set env OTHER=x
check 'locked, no file' nowhere OTHER "$folder/store"

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
