#!/usr/bin/env bash
# Puts the jars of an Apache Kafka broker and its tools, from Maven Central, into a folder. Does nothing where they are.
#
#   tests/kafka/assemble.sh FOLDER
set -euo pipefail

KAFKA=4.3.1
LOG4J=2.25.4
MAVEN_DEPENDENCY_PLUGIN=3.8.1

folder=${1:?"usage: assemble.sh FOLDER"}
complete=$folder/.complete-$KAFKA-$LOG4J
[ ! -e "$complete" ] || exit 0
rm -rf "${folder:?}"
mkdir -p "$folder"
mvn --quiet --batch-mode --file "$(dirname "${BASH_SOURCE[0]}")/pom.xml" \
    -Dkafka.version=$KAFKA -Dlog4j.version=$LOG4J -DincludeScope=runtime -DoutputDirectory="$(realpath "$folder")" \
    org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy-dependencies
touch "$complete"
