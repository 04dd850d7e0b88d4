#!/usr/bin/env bash
# Replays the acceptance transcripts (recorded from the existing connector against a real SQL Server) against the simulator and the
# connector. Arguments go to transcripts.py, for example --only 'Basics|Spec'.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=${SHARED:-../shared}
if [ ! -d "$shared/acceptance" ]; then
    echo "SKIPPED: the acceptance transcripts, because $shared/acceptance is not there" >&2
    exit 0
fi
. Tools/venv.sh
venv transcripts python-tds
bin=$(swift build -c release --show-bin-path)
exec "$python" "$shared/acceptance/transcripts.py" \
    --server-command "$bin/sqlserver-simulator serve --listen 127.0.0.1:0 --database test --login sa:gf6w6dkD:sysadmin --login flow_capture:we2rie1E:reader" \
    --connector "$bin/connector" "$@" "$shared/acceptance/transcripts"
