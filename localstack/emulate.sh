#!/usr/bin/env bash
# Deploys the pipeline to emulated AWS and runs it: `sam deploy` of template.yaml, its schedules fire its pollers, Kafka is
# the broker, our Kafka trigger invokes its writer, and at the end every record has to be in its bucket once. Its rollers
# make bars of them, which have to be right, and which Athena has to give as they are.
# Needs Rust and Python 3, no Docker and no account. README.md beside this tells what is emulated and how truly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. localstack/python-tool.sh

usage() {
    cat <<'TEXT'
usage: localstack/emulate.sh [--for SECONDS] [--bin-dir FOLDER] [--docker]

  --for SECONDS      fire schedules for this long after the deployment [default: 70, which is once];
                     from 300 on the five-minute schedules and the stream of trades fire too
  --bin-dir FOLDER   deploy the programs in FOLDER, such as target/debug, instead of what `sam build` builds
  --docker           Redpanda and LocalStack in containers instead; see README.md for what that leaves out

QUOTELAKE_KAFKA      the folder of tests/kafka/assemble.sh: use Apache Kafka instead of the embedded broker
TEXT
}

seconds=70 bin_dir= docker=
while [ $# -gt 0 ]; do
    case $1 in
    --for) seconds=${2:?"--for takes seconds"} && shift 2 ;;
    --bin-dir) bin_dir=${2:?"--bin-dir takes a folder"} && shift 2 ;;
    --docker) docker=yes && shift ;;
    --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
    esac
done

stack=quotelake
. localstack/processes.sh

say() { printf '%3d s  %s\n' $SECONDS "$*"; }

# The programs, and the template whose CodeUri are the built functions.
build() {
    local function
    if [ -n "$bin_dir" ]; then
        mkdir "$work/build"
        for function in $(functions/list.py); do
            python3 localstack/package.py "$bin_dir/$function" "$work/build/$function.zip"
        done
        emulated_template template.yaml "$work/build/template.yaml" "$work/build"
    else
        cargo build --locked --quiet --bin quotelake
        bin_dir=${CARGO_TARGET_DIR:-target}/debug
        cargo_lambda_tool
        CARGO_LAMBDA_COMPILER=cargo PATH=$TOOLS/cargo-lambda/bin:$PATH \
            "$TOOLS/sam/bin/sam" build --build-dir "$work/build" --parameter-overrides "Architecture=$architecture"
        emulated_template "$work/build/template.yaml" "$work/build/template.yaml"
    fi
}

emulated_template() { "$TOOLS/sam/bin/python" localstack/emulated_template.py "$@"; }

start_ministack() {
    local port
    port=$(free_ports 1)
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port
    mkdir "$work/tmp"
    # AUTH makes it enforce IAM: the functions have the rights of their roles alone. They inherit the endpoint from it.
    # The brokers are those of its MSK clusters.
    start ministack env MINISTACK_MSK_BOOTSTRAP="$brokers" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" LAMBDA_EXECUTOR=local \
        AUTH=true TMPDIR="$work/tmp" S3_DATA_DIR="$work/s3" STATE_DIR="$work/state" "$TOOLS/ministack/bin/ministack"
    wait_for 60 ministack curl --fail --silent "$AWS_ENDPOINT_URL/_ministack/health"
}

start_kafka() {
    local port controller
    read -r port controller < <(free_ports 2)
    cat >"$work/kafka.properties" <<PROPERTIES
process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$work/kafka
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
PROPERTIES
    java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx320m
        "-Dlog4j2.configurationFile=$PWD/tests/kafka/log4j2.properties" -cp "$QUOTELAKE_KAFKA/*")
    "${java[@]}" kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAA -c "$work/kafka.properties" \
        >"$work/format.log" 2>&1
    start kafka "${java[@]}" kafka.Kafka "$work/kafka.properties"
    wait_for 60 Kafka grep -q 'Kafka Server started' "$work/kafka.out"
    brokers=127.0.0.1:$port
}

start_broker() {
    if [ -n "${QUOTELAKE_KAFKA:-}" ]; then
        start_kafka
    else
        start broker "$bin_dir/quotelake" serve broker
        wait_for 30 "the broker" grep -q KafkaBootstrapServers "$work/broker.out"
        brokers=$(sed -n 's/^KafkaBootstrapServers=//p' "$work/broker.out")
    fi
}

deploy() {
    sed 's/^\([^=]*\)=\(.*\)$/\1: "\2"/' "$work/parameters" >"$work/parameters.yaml"
    "$TOOLS/sam/bin/sam" deploy --template-file "$work/build/template.yaml" --stack-name $stack --region us-east-1 \
        --resolve-s3 --capabilities CAPABILITY_IAM --no-confirm-changeset --no-progressbar \
        --parameter-overrides "file://$work/parameters.yaml" >"$work/deploy.log" 2>&1
}

stack() { "$TOOLS/ministack/bin/python" localstack/stack.py "$@"; }

fired() { grep --count 'EventBridge → Lambda .*: dispatched' "$work/ministack.log" || true; }

have_fired() { [ "$(fired)" -gt 0 ]; }

have_ended() { [ "$(stack ended $scheduled)" -ge $(($(fired) + rare)) ]; }

have_bars() { [ "$(stack counts BarsWritten)" -gt 0 ]; }

verified() { # [OPTION...]
    "$bin_dir/quotelake" verify --brokers "$brokers" --bucket "$bucket" --epoch 1 \
        --s3-endpoint "$AWS_ENDPOINT_URL" "$@"
}

# Prints what a Python expression takes from the verdict.
verdict() { # EXPRESSION [ARGUMENT]
    python3 -c "import json, sys; verdict = json.load(open(sys.argv[1])); print($1)" "$work/verdict" "${@:2}"
}

on_ministack() {
    local brokers bucket records topics topic polled published failed written quarantined scheduled rare=0
    architecture=$(uname -m | sed s/aarch64/arm64/)
    sam_tool
    ministack_tool
    export SAM_CLI_TELEMETRY=0 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
    export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
    # Nothing that is configured for a real account or a proxy may lead away from the emulator.
    unset AWS_PROFILE AWS_SESSION_TOKEN AWS_IGNORE_CONFIGURED_ENDPOINT_URLS "${!AWS_ENDPOINT_URL_@}"
    export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
    export NO_PROXY=127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY} no_proxy=127.0.0.1,localhost${no_proxy:+,$no_proxy}
    build
    say "functions built"
    start_broker
    start_ministack
    stack create-cluster quotelake >"$work/cluster.out"
    start market "$bin_dir/quotelake" serve market
    wait_for 30 "the market" grep -q VietnamSymbols "$work/market.out"
    { cat "$work/cluster.out" "$work/market.out" && echo "Architecture=$architecture"; } >"$work/parameters"
    printf '%s\n' 'RollEvery=1 minute' LakeTables=true >>"$work/parameters"
    if [ "$seconds" -lt 300 ]; then
        # A session of trades lasts for five minutes.
        sed -i 's/^TradeSymbols=.*/TradeSymbols=/' "$work/parameters"
    fi
    deploy
    bucket=$(stack output $stack BronzeBucketName)
    say "deployed as the stack $stack, with the bucket $bucket"

    # An array of --parameter NAME=VALUE.
    mapfile -t values <"$work/parameters"
    start trigger "$bin_dir/quotelake" trigger --brokers "$brokers" \
        --lambda-endpoint "$AWS_ENDPOINT_URL" --function "BronzeWriter=$(stack output $stack BronzeWriterArn)" \
        "${values[@]/#/--parameter=}"
    local trigger=${pids[-1]} until=$((SECONDS + seconds))
    wait_for 60 "the trigger" grep -q '^running' "$work/trigger.out"
    say "the trigger runs; the schedules fire a minute after the deployment"
    wait_for 120 "the schedules" have_fired
    say "fired"
    if [ "$seconds" -lt 300 ]; then
        # They would fire for the first time after five minutes.
        rare=$(stack fire-rare $stack)
    fi
    while [ $SECONDS -lt $until ]; do sleep 1; done
    topics=$(stack topics $stack)
    scheduled=$(stack scheduled $stack)
    stack stop $stack pollers
    say "no more polls after $(fired) calls, and $rare by hand; the pollers finish within their minute"
    wait_for 400 "the pollers" have_ended

    kill -INT "$trigger"
    wait "$trigger" || fail "the trigger has left records"
    tail -n 1 "$work/trigger.out"
    read -r polled published failed written quarantined \
        < <(stack counts QuotesPolled QuotesPublished QuotesFailed RecordsWritten RecordsQuarantined)
    verified
    verified --json >"$work/verdict"
    records=$(verdict 'verdict["in_topics"]')
    echo "polled $polled, published $published, failed $failed; in the topics $records; lines written $written," \
        "put aside $quarantined"
    [ "$published" = "$records" ] || fail "the pollers' counts and the topics differ"
    [ "$polled" = "$published" ] && [ "$failed" = 0 ] || fail "the pollers have not published everything"
    for topic in $topics; do
        [ "$(verdict 'verdict["topics"].get(sys.argv[2], 0)' "$topic")" -gt 0 ] || fail "$topic: its poller has published nothing"
    done
    say "exact"
    bars_are_right
}

# The rollers have run by their schedules while records were landing. What came since is made by their daily sweep, which
# would fire after a day; then Athena is asked.
bars_are_right() {
    local swept behind
    wait_for 90 "bars by schedule" have_bars
    say "the schedules have made $(stack counts BarsWritten) bars of minutes, some of them anew by each run"
    swept=$(stack sweep $stack)
    stack stop $stack rollers
    say "$swept sweeps by hand"
    "$bin_dir/quotelake" verify silver --bucket "$bucket" --epoch 1 --s3-endpoint "$AWS_ENDPOINT_URL" | tee "$work/bars"
    grep -q '^right [1-9][0-9]* + behind 0$' "$work/bars" || fail "the sweep has left bars"
    say "right"
    "$bin_dir/quotelake" sql --engine athena --silver --bucket "$bucket" --epoch 1 >"$work/tables.sql"
    "$TOOLS/ministack/bin/python" localstack/ask_athena.py $stack "$bucket" "$work/tables.sql"
    say "asked"
}

# LocalStack has no Kafka trigger, its scheduler does not fire and its Lambda needs Docker in Docker: functions, schedules
# and trigger are the plane's own here, broker and store are containers.
on_docker() {
    docker info >/dev/null 2>&1 || {
        echo "no Docker engine answers: start it, or leave out --docker" >&2
        exit 2
    }
    if [ -z "$bin_dir" ]; then
        cargo build --locked --quiet --bins
        bin_dir=${CARGO_TARGET_DIR:-target}/debug
    fi
    # Those that ran before go on running.
    [ -n "$(docker compose --file localstack/compose.yaml ps --quiet)" ] ||
        at_end+=("docker compose --file localstack/compose.yaml down")
    localstack/up.sh
    local epoch
    epoch=$(date -u +%Y%m%dT%H%M%SZ)
    "$bin_dir/quotelake" up --data "$work/data" --bin-dir "$bin_dir" --for "${seconds}s" --brokers localhost:9092 \
        --s3-endpoint http://localhost:4566 --parameter "BronzeEpoch=$epoch"
    say "exact"
}

if [ -n "$docker" ]; then on_docker; else on_ministack; fi
