#!/usr/bin/env bash
# Builds the functions for Lambda, whatever machine this is, into target/lambda: zig compiles C against the glibc of
# provided.al2023, and cmake builds the poller's librdkafka. Where the machine is of the architecture and its glibc is no
# newer than 2.37, `cargo lambda build --release` and `sam build` do without zig and cmake.
#
#   rustup target add aarch64-unknown-linux-gnu
#   pip install cargo-lambda cmake              # cargo-lambda brings zig
#   functions/cross-build.sh arm64              # or x86_64; `--output-format zip` and the like are passed on
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1:-} in
arm64) TARGET=aarch64-unknown-linux-gnu ;;
x86_64) TARGET=x86_64-unknown-linux-gnu ;;
*) echo "usage: functions/cross-build.sh arm64|x86_64 [OPTION OF CARGO LAMBDA BUILD...]" >&2 && exit 2 ;;
esac
shift

missing() { # WHAT HOW
    echo "$1 is missing: $2" >&2
    exit 2
}
[ -d "$(rustc --print sysroot)/lib/rustlib/$TARGET" ] || missing "Rust's target $TARGET" "rustup target add $TARGET"
command -v cargo-lambda >/dev/null || missing cargo-lambda "pip install cargo-lambda"
command -v cmake >/dev/null || missing cmake "pip install cmake"
command -v zig >/dev/null || python3 -c 'import ziglang' 2>/dev/null || missing zig "pip install ziglang"

# librdkafka 2.12.1 under cmake includes curl's header although it is built without curl (librdkafka issue 5135).
stub=$PWD/target/cross-stub
mkdir -p "$stub/curl"
: >"$stub/curl/curl.h"
export "CFLAGS_${TARGET//-/_}=-Os -ffunction-sections -fdata-sections -I$stub"

# provided.al2023 has glibc 2.34.
mapfile -t functions < <(functions/list.py)
mapfile -t with_c < <(functions/list.py feature cross)
features=()
for function in "${with_c[@]}"; do
    features+=(--features "$function/cross")
done
exec cargo lambda build --release --compiler cargo-zigbuild --target "$TARGET.2.34" \
    "${features[@]}" "${functions[@]/#/--bin=}" "$@"
