#!/usr/bin/env bash
# Makes the pipeline's topics. Topics that exist stay as they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

docker compose exec -T redpanda \
    rpk topic create stock-quotes crypto-prices trades_raw stock-prices stock-intraday stock-historical stock-board \
    --if-not-exists --partitions 10 -X brokers=localhost:29092
