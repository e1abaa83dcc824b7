#!/usr/bin/env bash
# Puts PostgreSQL's programs of two major versions into a folder: the machine's own, and a newer one from Maven Central. Does
# nothing where they are.
#
#   tests/postgres.sh FOLDER
set -euo pipefail

ZONKY=18.3.0
MAVEN_DEPENDENCY_PLUGIN=3.8.1

folder=${1:?"usage: postgres.sh FOLDER"}
complete=$folder/.complete-$ZONKY
[ ! -e "$complete" ] || exit 0
rm -rf "${folder:?}"
mkdir -p "$folder"

installed=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -name '[0-9]*' | sort -V | tail -n 1)
[ -n "$installed" ] || { echo "there is no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql" >&2 && exit 1; }
ln -s "$installed" "$folder/$(basename "$installed")"

case $(uname -m) in
x86_64) platform=amd64 ;;
aarch64) platform=arm64v8 ;;
*) echo "no PostgreSQL in Maven Central for $(uname -m)" >&2 && exit 1 ;;
esac
jars=$(mktemp -d)
trap 'rm -rf "$jars"' EXIT
mvn --quiet --batch-mode "org.apache.maven.plugins:maven-dependency-plugin:$MAVEN_DEPENDENCY_PLUGIN:copy" \
    "-Dartifact=io.zonky.test.postgres:embedded-postgres-binaries-linux-$platform:$ZONKY" "-DoutputDirectory=$jars"
python3 -m zipfile -e "$jars"/*.jar "$jars/programs"
mkdir "$folder/${ZONKY%%.*}"
tar -xJf "$jars"/programs/*.txz -C "$folder/${ZONKY%%.*}"
# A server's user is not the one who runs this.
chmod -R a+rX "$folder"
touch "$complete"
