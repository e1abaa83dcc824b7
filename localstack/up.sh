#!/usr/bin/env bash
# Starts the containers, waits until they serve, and makes the topics and the bucket.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

docker compose up --detach --wait
./create-topics.sh
./create-bucket.sh
