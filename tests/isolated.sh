#!/usr/bin/env bash
# Runs a command in a network namespace that has a loopback device and no way out.
#
#   bash tests/isolated.sh cargo test --offline testbed
#
# Tests with real agent command lines run only so: whatever they are told, nothing leaves the machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LEGWORK_TESTBED=${LEGWORK_TESTBED:-$PWD/target/testbed}
export PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" = 0 ]; then
    exec unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
fi
# The namespace needs the rights of root, which a user has only in a user namespace; the command
# itself gets its own user back.
# shellcheck disable=SC2016 # the inner shell fills these in
exec unshare --map-root-user --net sh -c '
    user=$1 group=$2
    shift 2
    ip link set lo up && exec unshare --user --map-user="$user" --map-group="$group" "$@"
' sh "$(id -u)" "$(id -g)" "$@"
