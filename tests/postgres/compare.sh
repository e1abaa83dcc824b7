#!/usr/bin/env bash
# Quotes from Kafka into PostgreSQL by three ways, on the same servers: README.md has what is compared and how.
#
#   tests/postgres/compare.sh [--rounds N] [--records N] [--only NAME,...]
#   tests/postgres/compare.sh latency
#
# Needs Python 3, Java 17 or later, Maven, Rust, and PostgreSQL's programs (in PATH, or of Debian's package postgresql).
# Installs the rest into the cache of .ci/run, by pip and Maven.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

. localstack/python-tool.sh
KAFKA_PYTHON=3.0.12
PSYCOPG=3.3.9
KAFKA=4.3.1
DEBEZIUM=3.6.0.Final
# The newest of Debezium's own minor version of which Maven Central's mirrors have each part.
HIBERNATE=7.2.19.Final
LOG4J=2.25.4
MAVEN_DEPENDENCY_PLUGIN=3.8.1

# Debezium's sink, and the worker of Kafka Connect that runs it.
jdbc_sink() {
    local folder=$TOOLS/jdbc-sink
    local complete=$folder/.complete-$KAFKA-$DEBEZIUM-$HIBERNATE
    [ ! -e "$complete" ] || return 0
    rm -rf "${folder:?}"
    mkdir -p "$folder"
    mvn --quiet --batch-mode --file tests/postgres/pom.xml -Dkafka.version=$KAFKA -Ddebezium.version=$DEBEZIUM \
        -Dhibernate.version=$HIBERNATE -Dlog4j.version=$LOG4J -DincludeScope=runtime -DoutputDirectory="$folder" \
        org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy-dependencies
    touch "$complete"
}

python_tool postgres-rivals "kafka-python==$KAFKA_PYTHON" "psycopg[binary]==$PSYCOPG"
tests/kafka/assemble.sh "$TOOLS/kafka"
jdbc_sink
cargo build --locked --quiet --release --package quotelake --package quote-upserter --bins
program=compare.py
if [ "${1:-}" = latency ]; then
    program=latency.py
    shift
fi
exec "$TOOLS/postgres-rivals/bin/python" tests/postgres/$program --kafka "$TOOLS/kafka" --jdbc-sink "$TOOLS/jdbc-sink" \
    --bin-dir target/release "$@"
