#!/bin/sh
# Git asks it for name and password of the one origin that it is configured for.
[ "${1-}" = get ] || exit 0
credentials=${FLUMEN_FILES:-/flumen}/credentials
printf 'username=%s\npassword=%s\n' "$(cat "$credentials/username")" "$(cat "$credentials/password")"
