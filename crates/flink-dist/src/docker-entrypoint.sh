#!/usr/bin/env bash
# Prepares Flink's home by what the environment says, then becomes one of Flink's processes or any other command.

home=${FLINK_HOME:-/opt/flink}
conf=${FLINK_CONF_DIR:-$home/conf}

declare -A options=()
removed=()

fail() {
    echo "docker-entrypoint: $*" >&2
    exit 1
}

help() {
    cat <<'USAGE'
Usage: docker-entrypoint.sh COMMAND [ARGUMENT...]

  jobmanager       a JobManager of a standalone session
  standalone-job   a JobManager of a standalone application
  taskmanager      a TaskManager
  history-server   the history server
  help             this text
  anything else    is run as it is, with Flink's scripts in the search path

Environment:
  FLINK_PROPERTIES                     lines "key: value" for Flink's configuration
  JOB_MANAGER_RPC_ADDRESS              where the JobManager is (default: this host, for a JobManager)
  TASK_MANAGER_NUMBER_OF_TASK_SLOTS    slots of a TaskManager
  ENABLE_BUILT_IN_PLUGINS              jars of the folder opt to use as plugins, with ; between them
  DISABLE_JEMALLOC=true                leaves memory to the C library even where jemalloc is installed
USAGE
}

# Each plugin has a folder of its own. Jars that come with Flink wait in the folder opt.
link_plugins() {
    local jars jar folder
    IFS=';' read -ra jars <<<"${ENABLE_BUILT_IN_PLUGINS//[[:space:]]/}"
    for jar in "${jars[@]}"; do
        [ -n "$jar" ] || continue
        [ -f "$home/opt/$jar" ] || fail "ENABLE_BUILT_IN_PLUGINS names $jar, and $home/opt has no such file"
        folder=$home/plugins/${jar%.jar}
        mkdir -p "$folder" && ln -sf "$home/opt/$jar" "$folder/" || fail "could not put $jar into $folder"
    done
}

use_jemalloc() {
    local library
    [ "${DISABLE_JEMALLOC:-false}" != true ] || return 0
    for library in "/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so"{.2,}; do
        if [ -f "$library" ]; then
            export LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}$library"
            return 0
        fi
    done
}

# A standalone process must be reachable from other hosts; the configuration that Flink comes with is for one host only.
set_addresses() {
    options[jobmanager.rpc.address]=${JOB_MANAGER_RPC_ADDRESS:-$HOSTNAME}
    options[jobmanager.bind-host]=0.0.0.0
    options[taskmanager.bind-host]=0.0.0.0
    options[rest.address]=0.0.0.0
    options[rest.bind-address]=0.0.0.0
    options[blob.server.port]=6124
    options[query.server.port]=6125
    removed+=(taskmanager.host)
}

read_environment() {
    local line
    [ -z "${JOB_MANAGER_RPC_ADDRESS:-}" ] || options[jobmanager.rpc.address]=$JOB_MANAGER_RPC_ADDRESS
    [ -z "${TASK_MANAGER_NUMBER_OF_TASK_SLOTS:-}" ] ||
        options[taskmanager.numberOfTaskSlots]=$TASK_MANAGER_NUMBER_OF_TASK_SLOTS
    while IFS= read -r line; do
        if [[ $line =~ ^[[:space:]]*([^#:[:space:]][^:[:space:]]*)[[:space:]]*:[[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]]; then
            options[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
        elif [[ ! $line =~ ^[[:space:]]*(#.*)?$ ]]; then
            fail "FLINK_PROPERTIES has a line that is not of the form \"key: value\": $line"
        fi
    done <<<"${FLINK_PROPERTIES:-}"
}

# In flink-conf.yaml every option has a line of its own.
merge_lines() {
    local key pattern=''
    for key in "${!options[@]}" "${removed[@]}"; do
        pattern+="|${key//./\\.}"
    done
    grep -Ev "^[[:space:]]*(${pattern#|})[[:space:]]*:" "$1"
    for key in "${!options[@]}"; do
        printf '%s: %s\n' "$key" "${options[$key]}"
    done
}

# config.yaml is nested, and only Flink knows how to put a key into it.
merge_tree() {
    local key arguments=() java=java said jars
    [ ! -x "${JAVA_HOME:-}/bin/java" ] || java=$JAVA_HOME/bin/java
    for key in "${!options[@]}"; do
        arguments+=("-D$key=${options[$key]}")
    done
    for key in "${removed[@]}"; do
        arguments+=(-rmKey "$key")
    done
    jars=("$home"/lib/flink-dist*.jar)
    said=$("$java" -classpath "$home/bin/bash-java-utils.jar:${jars[0]}" \
        org.apache.flink.runtime.util.bash.BashJavaUtils UPDATE_AND_GET_FLINK_CONFIGURATION \
        --configDir "$conf" "${arguments[@]}" 2>&1) || fail "Flink could not read its configuration: $said"
    sed -n 's/^BASH_JAVA_UTILS_EXEC_RESULT://p' <<<"$said"
}

write_configuration() {
    local file merge merged
    ((${#options[@]} + ${#removed[@]})) || return 0
    if [ -e "$conf/flink-conf.yaml" ]; then
        file=$conf/flink-conf.yaml merge=merge_lines
    else
        file=$conf/config.yaml merge=merge_tree
    fi
    # On native Kubernetes it comes from a ConfigMap, which has all that counts.
    if [ ! -w "$file" ]; then
        echo "docker-entrypoint: $file cannot be written; the environment does not change it" >&2
        return 0
    fi
    merged=$($merge "$file") || exit 1
    [ -n "$merged" ] || fail "nothing would be left of $file"
    # Not a new file: this one may be a mount.
    printf '%s\n' "$merged" >"$file" || fail "could not write $file"
}

prepare() {
    use_jemalloc
    link_plugins
    read_environment
    write_configuration
}

command=${1:-help}
case $command in
    help | --help | -h)
        help
        ;;
    jobmanager | standalone-job)
        set_addresses
        prepare
        exec "$home/bin/$command.sh" start-foreground "${@:2}"
        ;;
    taskmanager)
        set_addresses
        [ -n "${JOB_MANAGER_RPC_ADDRESS:-}" ] || unset 'options[jobmanager.rpc.address]'
        prepare
        exec "$home/bin/taskmanager.sh" start-foreground "${@:2}"
        ;;
    history-server)
        prepare
        exec "$home/bin/historyserver.sh" start-foreground "${@:2}"
        ;;
    native-k8s)
        # What Flink 1.12 says instead of bash -c.
        prepare
        exec bash -c "${@:2}"
        ;;
    *)
        prepare
        exec "$@"
        ;;
esac
