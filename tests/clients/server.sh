# Sourced by what drives a real server over HTTP. The caller has `binary` (the program) and `work` (a folder of its own);
# it must call `stop_server` however it ends. Never kills what it has not started.
# shellcheck shell=bash disable=SC2154

server_process=

# Starts `wassette serve` over the store $1 on a free loopback port, with the further flags $2…, and sets `server_url`.
start_server() {
    local store=$1 log="$work/serve.log"
    shift
    : > "$log"
    "$binary" --component-dir "$store" serve --bind-address 127.0.0.1:0 "$@" > "$work/serve.out" 2> "$log" < /dev/null &
    server_process=$!
    for _ in $(seq 200); do
        server_url=$(sed -n 's|^.*\(http://127\.0\.0\.1:[0-9]*/mcp\).*$|\1|p' "$log" | head -n 1)
        [ -n "$server_url" ] && return
        kill -0 "$server_process" 2> /dev/null || break
        sleep 0.1
    done
    echo "error: the server did not start" >&2
    cat "$log" >&2
    return 1
}

# Stops it as an operator does. True if it left in good order, with nothing on standard output.
stop_server() {
    [ -n "$server_process" ] || return 0
    local process=$server_process status=0
    server_process=
    kill -TERM "$process" 2> /dev/null || true
    wait "$process" || status=$?
    if [ "$status" -ne 0 ] || [ -s "$work/serve.out" ]; then
        echo "error: the server ended with status $status, and $(wc -c < "$work/serve.out") bytes on standard output" >&2
        cat "$work/serve.log" >&2
        return 1
    fi
}
