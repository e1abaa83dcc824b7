#!/usr/bin/env bash
# Runs both functions under `cargo lambda watch` on every file in events/, against the embedded broker, market and store;
# then the Kafka trigger brings what the pollers have published to the writer, and the lake is verified. Needs
# cargo-lambda on the PATH, python3, and the programs that `cargo test` has built.
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

parameter() { # NAME
    sed -n "s/^$1=//p" "$work/parameters"
}

set -m
# The plane for its store; its broker and market are busy with its own functions.
target/debug/quotelake up --json --data "$work/data" --bin-dir target/debug >"$work/plane" 2>"$work/plane.log" &
pids+=($!)
for part in broker market; do
    target/debug/quotelake serve $part >"$work/$part" 2>"$work/$part.log" &
    pids+=($!)
    wait_for 30 "the $part" test -s "$work/$part"
done
cat "$work/broker" "$work/market" >"$work/parameters"
wait_for 60 "the plane" test -s "$work/plane"

cat >"$work/functions.env" <<ENV
KAFKA_BOOTSTRAP_SERVERS=$(parameter KafkaBootstrapServers)
FINNHUB_URL=$(parameter FinnhubUrl)
FINNHUB_TRADES_URL=$(parameter FinnhubTradesUrl)
FINNHUB_API_KEY=$(parameter FinnhubApiKey)
BINANCE_URL=$(parameter BinanceUrl)
VCI_URL=$(parameter VciUrl)
KBS_URL=$(parameter KbsUrl)
DNSE_URL=$(parameter DnseUrl)
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
invoke quote-poller events/quote-poller-history.json '{"polled": 2, "published": 2, "failed": []}'
invoke quote-poller events/quote-poller-trades.json '{"failed": []}'
invoke bronze-writer events/bronze-writer.json "$first"
invoke bronze-writer events/bronze-writer.json "$again"

brokers=$(parameter KafkaBootstrapServers)
mapfile -t values <"$work/parameters"
target/debug/quotelake trigger --for 5s --brokers "$brokers" --lambda-endpoint "http://127.0.0.1:$port" \
    --function BronzeWriter=bronze-writer "${values[@]/#/--parameter=}"
AWS_ACCESS_KEY_ID=quotelake AWS_SECRET_ACCESS_KEY=quotelake-local target/debug/quotelake verify --brokers "$brokers" \
    --bucket bronze-bucket --prefix by-hand --s3-endpoint "$(part s3_endpoint)" \
    --topic crypto-prices --topic stock-historical --topic trades_raw
echo "8 passed, 0 failed"
