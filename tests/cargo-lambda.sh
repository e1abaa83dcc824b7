#!/usr/bin/env bash
# Runs both functions under `cargo lambda watch` on the files in events/, against the embedded broker, store and
# replay of a plane. Needs cargo-lambda on the PATH, python3, and the programs that `cargo test` has built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

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

# Prints the part of the first line of the plane's output that NAME has.
part() { # NAME
    python3 -c 'import json, sys; print(json.loads(open(sys.argv[1]).readline())[sys.argv[2]])' "$work/plane" "$1"
}

wait_for() { # SECONDS WHAT COMMAND...
    local seconds=$1 what=$2 end=$((SECONDS + $1))
    shift 2
    until "$@" 2>/dev/null; do
        if [ $SECONDS -gt $end ]; then
            echo "$what: not there after $seconds s" >&2
            cat "$work"/*.log >&2
            exit 1
        fi
        sleep 0.2
    done
}

set -m
target/debug/quotelake up --json --data "$work/data" --bin-dir target/debug >"$work/plane" 2>"$work/plane.log" &
pids+=($!)
wait_for 60 "the plane" test -s "$work/plane"

cat >"$work/functions.env" <<ENV
KAFKA_BOOTSTRAP_SERVERS=$(part brokers)
FINNHUB_URL=$(part finnhub_url)
FINNHUB_API_KEY=replay
BINANCE_URL=$(part binance_url)
BRONZE_BUCKET=bronze-bucket
BRONZE_PREFIX=by-hand
AWS_ENDPOINT_URL_S3=$(part s3_endpoint)
AWS_REGION=us-east-1
AWS_ACCESS_KEY_ID=quotelake
AWS_SECRET_ACCESS_KEY=quotelake-local
ENV
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cargo lambda watch --ignore-changes --invoke-address 127.0.0.1 --invoke-port "$port" \
    --env-file "$work/functions.env" >"$work/watch.log" 2>&1 &
pids+=($!)
wait_for 60 "cargo lambda watch" bash -c "</dev/tcp/127.0.0.1/$port"

invoke() { # FUNCTION FILE EXPECTED
    local answer
    if ! answer=$(cargo lambda invoke "$1" --invoke-address 127.0.0.1 --invoke-port "$port" --data-file "$2" 2>"$work/invoke.log"); then
        cat "$work/invoke.log" "$work/watch.log" >&2
        exit 1
    fi
    python3 - "$1" "$answer" "$3" <<'PYTHON'
import json, sys
function, answer, expected = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
different = {name: answer.get(name) for name, value in expected.items() if answer.get(name) != value}
if different:
    sys.exit(f"{function}: {different}, expected {expected}, in {answer}")
print(f"{function} answered {json.dumps(answer)}")
PYTHON
}

first='{"records": 4, "added": 3, "already_there": 0, "quarantined": {"tombstone": 1}}'
again='{"records": 4, "added": 0, "already_there": 3}'
invoke quote-poller events/quote-poller-binance.json '{"polled": 12, "published": 12, "failed": []}'
invoke quote-poller events/quote-poller-finnhub.json '{"failed": []}'
invoke bronze-writer events/bronze-writer.json "$first"
invoke bronze-writer events/bronze-writer.json "$again"
echo "4 passed, 0 failed"
