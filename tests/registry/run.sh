#!/usr/bin/env bash
# Components through real registries: Debian's, open over plain HTTP and private over TLS. Pushed, signed, pulled, verified,
# updated, rolled back, exported and imported; what `skopeo` and `oras` push we pull, and they pull ours.
#
#   tests/registry/run.sh BINARY REGISTRIES FOLDER
#
# REGISTRIES is the testkit's example with the registries; it needs `docker-registry`, and this script needs `skopeo` and
# python3 with venv. FOLDER keeps `oras` for the next run. It must never speak to any registry but these two.
set -euo pipefail
binary=$(realpath "$1") registries=$(realpath "$2") folder=$3
oras=oras==0.2.43
mkdir -p "$folder"
if ! [ -f "$folder/installed" ] || [ "$(cat "$folder/installed")" != "$oras" ]; then
    rm -rf "$folder/oras"
    python3 -m venv "$folder/oras"
    "$folder/oras/bin/pip" install --quiet --disable-pip-version-check "$oras"
    echo "$oras" > "$folder/installed"
fi
python=$(realpath "$folder")/oras/bin/python
here=$(realpath "$(dirname "$0")")
root=$here/../..

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# No credentials or configuration of the developer's own.
export HOME=$work/home XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/data XDG_RUNTIME_DIR=$work/run
mkdir -p "$HOME" "$XDG_CONFIG_HOME/wassette" "$XDG_RUNTIME_DIR" "$work/certificates"
coproc servers { "$registries" "$work"; }
pid=$servers_PID
read -r open <&"${servers[0]}"
IFS=$'\t' read -r private username password <&"${servers[0]}"
cp "$work/authority.pem" "$work/certificates/ca.crt"
cp "$root/examples/text-stats/text-stats.wasm" "$work/first.wasm"
cp "$root/guests/built/names.wasm" "$work/second.wasm"
printf 'version: "1.0"\npermissions:\n  network:\n    allow:\n      - host: "example.com"\n' > "$work/policy.yaml"
printf '# A page\n' > "$work/page.md"

passed=0 failed=0
ok() { passed=$((passed + 1)); }
wrong() {
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$*"
}
# Runs a command that must succeed, or that must fail with words that fit a pattern of the shell.
expect() {
    local what=$1 printed
    shift
    if printed=$("$@" 2>&1); then ok; else wrong "$what: $printed"; fi
}
refused() {
    local what=$1 pattern=$2 printed
    shift 2
    if printed=$("$@" 2>&1); then
        wrong "$what was not refused: $printed"
    # shellcheck disable=SC2053
    elif [[ $printed == $pattern ]]; then
        ok
    else
        wrong "$what was refused with other words: $printed"
    fi
}
same() { if cmp -s "$2" "$3"; then ok; else wrong "$1: $2 and $3 are not the same"; fi; }
# The program over a store of its own, which the first argument names.
wassette() {
    local store=$1
    shift
    "$binary" --component-dir "$work/stores/$store" "$@"
}
digest() { wassette "$1" -o json component list | "$python" -c \
    'import json, sys; print(next(c["digest"] for c in json.load(sys.stdin)["components"] if c["id"] == sys.argv[1]))' "$2"; }
configure() {
    cat > "$XDG_CONFIG_HOME/wassette/config.toml"
}
both() {
    printf '[registries."%s"]\ninsecure = true\n' "$open"
    printf '[registries."%s"]\nca_file = "%s"\n' "$private" "$work/authority.pem"
    [ "$1" = known ] && printf 'username = "%s"\npassword_env = "REGISTRY_PASSWORD"\n' "$username"
    [ "$2" = verified ] && for host in "$open" "$private"; do
        printf '[verify.sources."%s/tools"]\nrequire = true\nkey = "%s"\n' "$host" "$work/key.pub"
    done
    return 0
}

round() {
    local host=$1 name=$2
    local tools=oci://$host/tools/stats
    # Push and pull; then only with a signature.
    both known free | configure
    expect "$name: push" wassette a component push "$work/first.wasm" "$tools:1" --policy "$work/policy.yaml" \
        --docs "$work/page.md" --annotation org.opencontainers.image.title=stats
    expect "$name: pull" wassette "$name-b" component load "$tools:1"
    both known verified | configure
    refused "$name: pull without a signature" 'error: *not signed*' wassette "$name-c" component load "$tools:1"
    expect "$name: push and sign" wassette a component push "$work/first.wasm" "$tools:1" --sign-key "$work/key.pem"
    expect "$name: pull with a signature" wassette "$name-c" component load "$tools:1"
    # Update and rollback.
    local before after
    before=$(digest "$name-c" stats)
    expect "$name: nothing is new" wassette "$name-c" component update stats
    expect "$name: push another" wassette a component push "$work/second.wasm" "$tools:1" --sign-key "$work/key.pem"
    refused "$name: an update that nobody accepts" '*component accept*' wassette "$name-c" component update stats
    [ "$(digest "$name-c" stats)" = "$before" ] && ok || wrong "$name: an update that nobody accepted serves"
    expect "$name: update" wassette "$name-c" component update stats --yes
    after=$(digest "$name-c" stats)
    [ "$after" != "$before" ] && ok || wrong "$name: the update does not serve"
    expect "$name: rollback" wassette "$name-c" component rollback stats
    [ "$(digest "$name-c" stats)" = "$before" ] && ok || wrong "$name: the rollback does not serve"
    # Export and import, verified by what is in the file.
    expect "$name: export" wassette "$name-c" component export stats "$work/$name.tar"
    expect "$name: import" wassette "$name-d" component import "$work/$name.tar"
    [ "$(digest "$name-d" stats)" = "$before" ] && ok || wrong "$name: another component was imported"
}

# skopeo and oras, in both directions. The first argument is the registry, the rest skopeo's options, which begin with
# `--src` or `--dest` there.
strangers() {
    local host=$1 name=$2
    shift 2
    local from=("${@/#/--src-}") to=("${@/#/--dest-}")
    both known free | configure
    expect "$name: push for strangers" wassette a component push "$work/first.wasm" "oci://$host/ours:1"
    expect "$name: skopeo pulls" skopeo copy -q "${from[@]}" "docker://$host/ours:1" "oci-archive:$work/$name-s.tar:1"
    expect "$name: import of what skopeo wrote" wassette "$name-e" component import "$work/$name-s.tar" --name ours
    [ "$(digest "$name-e" ours)" = "sha256:$(sha256sum < "$work/first.wasm" | cut -d' ' -f1)" ] && ok ||
        wrong "$name: what skopeo wrote is another component"
    expect "$name: skopeo pushes" skopeo copy -q "${to[@]}" "oci-archive:$work/$name-s.tar:1" "docker://$host/skopeo:1"
    expect "$name: pull of what skopeo pushed" wassette "$name-f" component load "oci://$host/skopeo:1"
    expect "$name: our archive is one for skopeo" wassette "$name-e" component export ours "$work/$name-o.tar"
    if tar -tf "$work/$name-o.tar" | grep -cx oci-layout > /dev/null; then ok; else wrong "$name: the archive is no layout"; fi
    expect "$name: skopeo reads our archive" skopeo copy -q "${to[@]}" "oci-archive:$work/$name-o.tar:latest" \
        "docker://$host/archive:1"
    expect "$name: pull of what came from our archive" wassette "$name-g" component load "oci://$host/archive:1"
    expect "$name: oras pulls" "$python" "$here/oras_client.py" pull "$host/ours:1" "$work/$name-oras.wasm"
    same "$name: what oras pulled" "$work/first.wasm" "$work/$name-oras.wasm"
    expect "$name: oras pushes" "$python" "$here/oras_client.py" push "$host/oras:1" "$work/first.wasm"
    expect "$name: pull of what oras pushed" wassette "$name-h" component load "oci://$host/oras:1"
}

export REGISTRY_PASSWORD=$password
round "$open" open
ORAS_PLAIN=1 strangers "$open" open tls-verify=false
round "$private" private
ORAS_USERNAME=$username ORAS_PASSWORD=$password REQUESTS_CA_BUNDLE=$work/authority.pem \
    strangers "$private" private "creds=$username:$password" "cert-dir=$work/certificates"

# Who is not known, or knows the wrong password, gets nothing; nor does who does not trust the authority.
stats=oci://$private/tools/stats:1
REGISTRY_PASSWORD=guess refused 'the wrong password' '*does not accept the credentials*' wassette x component load "$stats"
both unknown free | configure
refused 'no password' '*asks for credentials*' wassette x component load "$stats"
# The credentials that other programs keep.
mkdir -p "$HOME/.docker"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$private" "$(printf '%s:%s' "$username" "$password" | base64 -w 0)" \
    > "$HOME/.docker/config.json"
expect 'the password that docker keeps' wassette y component load "$stats"
configure < /dev/null
refused 'an authority that nobody trusts' '*certificate*' wassette x component load "$stats"
refused 'plain HTTP that nobody asked for' 'error: *' wassette x component load "oci://$open/tools/stats:1"
expect 'plain HTTP that was asked for' wassette x component load "oci://$open/tools/stats:1" --plain-http
# What a registry lists by itself.
{ both known free; printf '[search]\ncatalogues = ["registry:%s"]\n' "$open"; } | configure
if wassette x -o json registry search stats | grep -c '"tools/stats"' > /dev/null; then ok; else wrong 'search by the catalog'; fi

exec {servers[1]}>&-
wait "$pid"
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
