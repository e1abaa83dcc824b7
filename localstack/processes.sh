# To be sourced: programs in the background, each in a process group of its own, which all end with the script, however
# it ends. `work` is a folder that is there as long as the script.
work=$(mktemp -d)
pids=()
# Commands to run at the end, whatever they say.
at_end=()

end() {
    local code=$? pid command
    trap - EXIT INT TERM
    for pid in "${pids[@]}"; do
        # The whole group: ministack and `cargo lambda watch` start the functions as their children.
        kill -INT -- "-$pid" 2>/dev/null || true
    done
    for pid in "${pids[@]}"; do
        timeout 10 tail --pid="$pid" --follow /dev/null || true
        kill -KILL -- "-$pid" 2>/dev/null || true
    done
    if [ $code -ne 0 ]; then
        { tail -n 40 "$work"/*.log 2>/dev/null || true; } >&2
    fi
    for command in "${at_end[@]}"; do
        $command || true
    done
    rm -rf "$work"
    exit $code
}
trap end EXIT
trap 'exit 130' INT TERM
# A process group for each program, so that Ctrl-C reaches the script alone.
set -m

fail() { # MESSAGE
    echo "$1" >&2
    exit 1
}

start() { # NAME COMMAND...
    local name=$1
    shift
    "$@" >"$work/$name.out" 2>"$work/$name.log" </dev/null &
    pids+=($!)
}

wait_for() { # SECONDS WHAT COMMAND...
    local seconds=$1 what=$2 until=$((SECONDS + $1))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -le $until ] || fail "$what: not after $seconds s"
        sleep 0.1
    done
}

free_ports() { # COUNT
    # Below those that Linux gives to whoever asks for any, so that nobody gets one before the program has it.
    python3 -c 'import random, socket, sys
def is_free(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
ports = random.sample(range(20_000, 32_000), 12_000)
print(*[port for port in ports[:1_000] if is_free(port)][: int(sys.argv[1])])' "$1"
}
