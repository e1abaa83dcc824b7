#!/usr/bin/env bash
# Runs both functions under `cargo lambda watch` on the files in events/, against the embedded broker, store
# and replay of a plane, and compares their answers. Needs cargo-lambda on the PATH and a built tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do
        kill -INT "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
