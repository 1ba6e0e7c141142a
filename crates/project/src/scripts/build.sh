#!/bin/sh
# Builds what was fetched with the builder of the image; its arguments are the goals.
set -eu
umask 022
export HOME="$WORKSPACE/home"
settings=/flumen/settings
cd "$WORKSPACE/checkout/$DIRECTORY"

case $BUILDER in
maven)
    tool=mvn
    [ ! -e "$settings/settings-security.xml" ] || set -- "-Dsettings.security=$settings/settings-security.xml" "$@"
    [ ! -e "$settings/settings.xml" ] || set -- --settings "$settings/settings.xml" "$@"
    set -- --batch-mode "-Dmaven.repo.local=$CACHE/maven" "$@"
    ;;
gradle)
    tool=gradle
    export GRADLE_USER_HOME="$CACHE/gradle"
    mkdir -p "$GRADLE_USER_HOME"
    [ ! -e "$settings/gradle.properties" ] || cp "$settings/gradle.properties" "$GRADLE_USER_HOME/"
    for script in init.gradle init.gradle.kts; do
        [ ! -e "$settings/$script" ] || set -- --init-script "$settings/$script" "$@"
    done
    set -- --no-daemon --console=plain "$@"
    ;;
esac
command -v "$tool" >/dev/null 2>&1 || { echo "flumen: the image has no $tool" >&2; exit 95; }
printf "flumen: %s %s\n" "$tool" "$*"
exec "$tool" "$@"
