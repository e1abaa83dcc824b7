#!/usr/bin/env bash
# Builds the functions as a deployment does and checks what comes out: the size of the archives, what they need of
# the system, the time of their init, and that they answer under AWS's runtime interface emulator.
# `sam build` and `cargo lambda build --release` share one compilation. Needs sam and cargo-lambda on the PATH, python3,
# readelf, curl, and the programs that `cargo test` has built. RIE is the emulator's binary, one of those that SAM carries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

declare -A LARGEST_ZIP INIT EVENT
while read -r function bytes; do LARGEST_ZIP[$function]=$bytes; done < <(functions/list.py metadata largest-zip)
while read -r function milliseconds; do INIT[$function]=$milliseconds; done < <(functions/list.py metadata init)
while read -r function event; do EVENT[$function]=$event; done < <(functions/list.py metadata event)
mapfile -t functions < <(functions/list.py)
NEWEST_GLIBC=2.34
# Everything else is linked in: provided.al2023 has these.
LIBRARIES='ld-linux-x86-64\.so\.2|ld-linux-aarch64\.so\.1|libc\.so\.6|libm\.so\.6|libgcc_s\.so\.1'
RIE=${RIE:?set it to the runtime interface emulator: samcli/local/rapid/aws-lambda-rie-x86_64 in the packages of SAM}
export CARGO_LAMBDA_COMPILER=cargo SAM_CLI_TELEMETRY=0

. tests/processes.sh

architecture=$(uname -m)
[ "$architecture" = x86_64 ] || architecture=arm64
sam build --build-dir "$work/sam" --parameter-overrides "Architecture=$architecture" >"$work/sam.log" 2>&1 || fail "sam build failed"
# One at a time, as SAM does: two at once would have other features of what they share, and be compiled anew.
for function in "${functions[@]}"; do
    cargo lambda build --release --output-format zip --bin "$function"
    cargo lambda build --release --bin "$function"
done 2>&1 | tee "$work/cargo-lambda.out"
! grep -q Compiling "$work/cargo-lambda.out" || fail "cargo lambda build compiled again what sam build had compiled"

for function in "${functions[@]}"; do
    binary=target/lambda/$function/bootstrap
    find "$work/sam" -name bootstrap -exec cmp -s {} "$binary" \; -print -quit | grep -q . ||
        fail "$function: sam build and cargo lambda build differ"
    size=$(stat -c %s "$binary.zip")
    [ "$size" -le "${LARGEST_ZIP[$function]}" ] || fail "$function: $size bytes zipped, more than ${LARGEST_ZIP[$function]}"
    needed=$(readelf --dynamic --wide "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
    strangers=$(grep -Evx "$LIBRARIES" <<<"$needed" || true)
    [ -z "$strangers" ] || fail "$function: needs $strangers, which provided.al2023 may not have"
    glibc=$(readelf --version-info --wide "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)
    newest=$(printf '%s\n' "$glibc" "GLIBC_$NEWEST_GLIBC" | sort -V | tail -1)
    [ "$newest" = "GLIBC_$NEWEST_GLIBC" ] || fail "$function: needs $glibc, provided.al2023 has GLIBC_$NEWEST_GLIBC"
    echo "$function: $size bytes zipped, $(stat -c %s "$binary") unzipped, needs $(tr '\n' ' ' <<<"$needed")and $glibc"
done

# What `cargo lambda deploy` would do: send the binary, and leave the function's variables.
for function in "${functions[@]}"; do
    AWS_REGION=us-east-1 cargo lambda deploy --dry -vv --binary-name "$function" any-name >"$work/deploy.log" 2>&1 ||
        fail "$function: cargo lambda deploy --dry failed"
    grep -q 'merge_env: true' "$work/deploy.log" || fail "$function: cargo lambda deploy would drop its variables"
done

start_plane
# The key is for the measurement: init opens Finnhub too, over TLS. There is no database: its event needs none.
variables=(KAFKA_BOOTSTRAP_SERVERS="$(part brokers)" BINANCE_URL="$(part binance_url)" FINNHUB_API_KEY=none
    BRONZE_BUCKET=bronze-bucket BRONZE_PREFIX=by-hand AWS_ENDPOINT_URL_S3="$(part s3_endpoint)" AWS_REGION=us-east-1
    AWS_ACCESS_KEY_ID=quotelake AWS_SECRET_ACCESS_KEY=quotelake-local
    DATABASE_HOST=127.0.0.1 DATABASE_PORT=1 DATABASE_USER=quotelake DATABASE_TLS=off)

# Starts FUNCTION under the emulator, which has one for each process, and sends it the event in FILE.
answer() { # FUNCTION FILE EXPECTED
    local port api answer
    read -r port api < <(free_ports 2)
    start "$1" env "${variables[@]}" AWS_LAMBDA_FUNCTION_TIMEOUT=60 "$RIE" --log-level error \
        --runtime-interface-emulator-address "127.0.0.1:$port" --runtime-api-address "127.0.0.1:$api" \
        "target/lambda/$1/bootstrap"
    wait_for 10 "the runtime interface emulator" bash -c "</dev/tcp/127.0.0.1/$port"
    answer=$(curl --silent --show-error --max-time 90 --header 'content-type: application/json' --data-binary "@$2" \
        "http://127.0.0.1:$port/2015-03-31/functions/function/invocations" 2>"$work/invoke.log") || fail "$1: no answer"
    compare "$1" "$answer" "$3"
}

count=0
for function in "${functions[@]}"; do
    # One event that it takes, and those that it refuses; cargo-lambda.sh sends the others.
    for expected in functions/"$function"/events/*.answer.json; do
        event=${expected%.answer.json}
        [ "$(basename "$event")" = "${EVENT[$function]}" ] || grep -q errorType "$expected" || continue
        answer "$function" "$event.json" "$(<"$expected")"
        count=$((count + 1))
    done
    tests/init-time.py --within "${INIT[$function]}" "target/lambda/$function/bootstrap" "${variables[@]}"
    count=$((count + 3))
done
echo "$count passed: archives, dry deployments, answers, inits"
