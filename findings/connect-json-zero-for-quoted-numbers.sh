#!/usr/bin/env bash
# Kafka Connect 4.3.1, JsonConverter with a schema (an envelope, or `schema.content`): a value of another type than the schema says
# is no error. A number in quotes, as Binance and others send prices, becomes 0.0; one beyond int64 or int32 wraps; a fraction
# is cut; "true" becomes false. No error handler, dead letter queue or log hears of it, and a JDBC sink writes the row. Only
# texts are checked: a number where the schema says string is refused.
#
# Seen on 2026-11-28, Linux x86_64, Java 17:
#   double  62000.10              62000.1
#   double  "62000.10"            0.0
#   int64   "100"                 0
#   int64   100.7                 100
#   int64   18446744073709551617  1
#   int32   2147483648            -2147483648
#   boolean "true"                false
#   string  12                    refused
# Needs a JDK and Maven.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pom.xml" <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>finding</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>connect-json</artifactId>
      <version>4.3.1</version>
    </dependency>
  </dependencies>
</project>
POM
cat >"$folder/Finding.java" <<'JAVA'
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.json.JsonConverter;

public class Finding {
    static String read(String type, String value) {
        var schema = "{\"type\":\"struct\",\"fields\":[{\"field\":\"x\",\"type\":\"" + type + "\"}]}";
        var converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "true", "schema.content", schema), false);
        try {
            var read = (Struct) converter.toConnectData("topic", ("{\"x\":" + value + "}").getBytes()).value();
            read.validate();
            return read.get("x").toString();
        } catch (DataException refused) {
            return "refused";
        }
    }

    public static void main(String[] arguments) {
        var seen = List.of(
            List.of("double", "62000.10", "62000.1"),
            List.of("double", "\"62000.10\"", "0.0"),
            List.of("int64", "\"100\"", "0"),
            List.of("int64", "100.7", "100"),
            List.of("int64", "18446744073709551617", "1"),
            List.of("int32", "2147483648", "-2147483648"),
            List.of("boolean", "\"true\"", "false"),
            List.of("string", "12", "refused"));
        for (var one : seen) {
            var read = read(one.get(0), one.get(1));
            System.out.printf("%-7s %-21s %s%n", one.get(0), one.get(1), read);
            if (!read.equals(one.get(2))) {
                System.out.println("it was " + one.get(2));
                System.exit(1);
            }
        }
    }
}
JAVA
mvn --quiet --batch-mode --file "$folder/pom.xml" -DoutputDirectory="$folder/jars" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
# Without what slf4j says of the log that it does not find.
java -cp "$folder/jars/*" "$folder/Finding.java" 2>/dev/null
