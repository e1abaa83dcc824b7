# To be sourced by a script of this folder: programs in the background, each in a group of its own, which end with the
# script, and the plane among them. `work` is a folder that is there as long as the script.
work=$(mktemp -d)
pids=()
cleanup() {
    local pid
    for pid in "${pids[@]}"; do
        # The whole group: watch starts the functions as its children.
        kill -INT -- "-$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT

fail() { # MESSAGE
    echo "$1" >&2
    cat "$work"/*.log >&2 2>/dev/null || true
    exit 1
}

wait_for() { # SECONDS WHAT COMMAND...
    local seconds=$1 what=$2 end=$((SECONDS + $1))
    shift 2
    until "$@" 2>/dev/null; do
        [ $SECONDS -le $end ] || fail "$what: not there after $seconds s"
        sleep 0.1
    done
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

start_plane() {
    target/debug/quotelake up --json --data "$work/data" --bin-dir target/debug >"$work/plane" 2>"$work/plane.log" &
    pids+=($!)
    wait_for 60 "the plane" test -s "$work/plane"
}

# Prints the part of the first line of the plane's output that NAME has.
part() { # NAME
    python3 -c 'import json, sys; print(json.loads(open(sys.argv[1]).readline())[sys.argv[2]])' "$work/plane" "$1"
}

# Compares the members of EXPECTED with those of a function's answer.
compare() { # FUNCTION ANSWER EXPECTED
    python3 - "$@" <<'PYTHON' || fail "$1: not the answer that was expected"
import json, sys
function, answer, expected = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
different = {name: answer.get(name) for name, value in expected.items() if answer.get(name) != value}
if different:
    sys.exit(f"{function}: {different}, expected {expected}, in {answer}")
print(f"{function} answered {json.dumps(answer)}")
PYTHON
}

set -m
