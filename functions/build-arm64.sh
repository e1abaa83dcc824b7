#!/usr/bin/env bash
# Builds both functions for arm64 on a machine of another architecture, into target/lambda, with zig for librdkafka and
# OpenSSL. On an arm64 machine `cargo lambda build --release` does it without zig and cmake.
#
#   rustup target add aarch64-unknown-linux-gnu
#   pip install cargo-lambda cmake        # cargo-lambda brings zig
#   functions/build-arm64.sh              # `--output-format zip` and the like are passed on
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TARGET=aarch64-unknown-linux-gnu

missing() { # WHAT HOW
    echo "$1 is missing: $2" >&2
    exit 2
}
[ -d "$(rustc --print sysroot)/lib/rustlib/$TARGET" ] || missing "Rust's target $TARGET" "rustup target add $TARGET"
command -v cargo-lambda >/dev/null || missing cargo-lambda "pip install cargo-lambda"
command -v cmake >/dev/null || missing cmake "pip install cmake"
command -v zig >/dev/null || python3 -c 'import ziglang' 2>/dev/null || missing zig "pip install ziglang"

# librdkafka 2.12.1 under cmake includes curl's header although it is built without curl (librdkafka issue 5135).
stub=$PWD/target/arm64-stub
mkdir -p "$stub/curl"
: >"$stub/curl/curl.h"
export CFLAGS_aarch64_unknown_linux_gnu="-Os -ffunction-sections -fdata-sections -I$stub"

# provided.al2023 has glibc 2.34.
exec cargo lambda build --release --compiler cargo-zigbuild --target "$TARGET.2.34" \
    --features quote-poller/cross,bronze-writer/cross --bin bronze-writer --bin quote-poller "$@"
