#!/usr/bin/env bash
# Makes the bronze bucket. A bucket that exists stays as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

bucket=${1:-bronze-bucket}
docker compose exec -T localstack awslocal s3api head-bucket --bucket "$bucket" >/dev/null 2>&1 ||
    docker compose exec -T localstack awslocal s3api create-bucket --bucket "$bucket"
