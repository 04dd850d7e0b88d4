#!/usr/bin/env bash
# Judges every line that the connector sends by Estuary's own models of the messages (PyPI: estuary-cdk), over a session with
# spec, discover, validate, apply and open of the demo's database.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=${SHARED:-../shared}
if [ ! -d "$shared/acceptance" ]; then
    echo "SKIPPED: the check by Estuary's models, because $shared/acceptance is not there" >&2
    exit 0
fi
. Tools/venv.sh
venv flow-check estuary-cdk jsonschema
bin=$(swift build -c release --show-bin-path)
exec "$python" Tests/conformance/flow_lines.py --check "$shared/acceptance/flow_check.py" --server "$bin/sqlserver-simulator" --connector "$bin/connector"
