#!/usr/bin/env bash
# Runs the functions under `cargo lambda watch` on every event in their folders, against the embedded broker, market and store;
# then the Kafka trigger brings what the pollers have published to the writer, and the lake is verified; then the roller makes
# bars of it, which are verified too. Needs cargo-lambda on the PATH, python3, and the programs that `cargo test` has built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

. tests/processes.sh

parameter() { # NAME
    sed -n "s/^$1=//p" "$work/parameters"
}

# The plane for its store; its broker and market are busy with its own functions.
start_plane
for part in broker market; do
    start $part target/debug/quotelake serve $part
    wait_for 30 "the $part" test -s "$work/$part.out"
done
cat "$work/broker.out" "$work/market.out" >"$work/parameters"

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
SILVER_PREFIX=by-hand-bars
AWS_ENDPOINT_URL_S3=$(part s3_endpoint)
AWS_REGION=us-east-1
AWS_ACCESS_KEY_ID=quotelake
AWS_SECRET_ACCESS_KEY=quotelake-local
DATABASE_HOST=127.0.0.1
DATABASE_PORT=1
DATABASE_USER=quotelake
DATABASE_TLS=off
ENV
port=$(free_ports 1)
start watch cargo lambda watch --ignore-changes --invoke-address 127.0.0.1 --invoke-port "$port" \
    --env-file "$work/functions.env"
wait_for 60 "cargo lambda watch" bash -c "</dev/tcp/127.0.0.1/$port"

invoke() { # FUNCTION FILE EXPECTED
    local answer
    answer=$(cargo lambda invoke "$1" --invoke-address 127.0.0.1 --invoke-port "$port" --data-file "$2" 2>"$work/invoke.log") ||
        fail "$1: no answer"
    compare "$1" "$answer" "$3"
}

# Beside EVENT.json lies what the function answers: in EVENT.answer.json, and in EVENT.again.json a second time.
count=4
for function in $(functions/list.py); do
    for expected in functions/"$function"/events/*.{answer,again}.json; do
        [ -e "$expected" ] || continue
        event=${expected%.*.json}.json
        # cargo-lambda ends with an error where the function does.
        grep -q errorType "$expected" && continue
        invoke "$function" "$event" "$(<"$expected")"
        count=$((count + 1))
    done
done

brokers=$(parameter KafkaBootstrapServers)
mapfile -t values <"$work/parameters"
target/debug/quotelake trigger --for 5s --brokers "$brokers" --lambda-endpoint "http://127.0.0.1:$port" \
    --function BronzeWriter=bronze-writer "${values[@]/#/--parameter=}"

verified() { # [silver] [OPTION...]
    AWS_ACCESS_KEY_ID=quotelake AWS_SECRET_ACCESS_KEY=quotelake-local target/debug/quotelake verify "$@" --json \
        --bucket bronze-bucket --prefix by-hand --s3-endpoint "$(part s3_endpoint)"
}

verdict=$(verified --brokers "$brokers") || fail "the lake is not exact: $verdict"
compare verify "$verdict" '{"exact": true, "absent": [], "topics": {"crypto-prices": 12, "stock-board": 0,
    "stock-historical": 2, "stock-intraday": 0, "stock-prices": 0, "stock-quotes": 2, "trades_raw": "some"}}'

invoke bar-roller functions/bar-roller/events/roll.json '{"symbols": 2, "bars": "some", "files": "some", "failed": {}}'
verdict=$(verified silver --silver-prefix by-hand-bars --topic crypto-prices) || fail "bars are not right: $verdict"
compare "verify silver" "$verdict" '{"exact": true, "right": "some", "behind": 0, "wrong": 0}'
echo "$count passed, 0 failed"
