#!/usr/bin/env bash
# Runs the command, `swift test ...`, and says once more at the end which tests failed: its own last lines only count them.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [ "$status" -ne 0 ]; then
    printf '\n==== failed (exit code %s)\n' "$status"
    grep -E '✘|error:|Fatal error|Crash' "$log" | tail -n 60
fi
exit "$status"
