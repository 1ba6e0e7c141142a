#!/bin/sh
# Serves the jar to whoever reads it through the Kubernetes API, by the JDK that built it.
set -eu
java=java javac=javac
if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/javac" ]; then
    java=$JAVA_HOME/bin/java javac=$JAVA_HOME/bin/javac
fi
command -v "$javac" >/dev/null 2>&1 || { echo "flumen: the image has no javac" >&2; exit 96; }
classes=$(mktemp -d)
"$javac" -d "$classes" /flumen/scripts/HandOver.java
exec "$java" -Xmx32m -XX:+UseSerialGC -cp "$classes" HandOver
