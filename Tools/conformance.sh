#!/usr/bin/env bash
# Independent clients (python-tds, pymssql, Microsoft's mssql-python) log in to the simulator and read from it.
set -euo pipefail
cd "$(dirname "$0")/.."
. Tools/venv.sh
venv conformance python-tds pymssql mssql-python pyOpenSSL
bin=$(swift build -c release --show-bin-path)
exec "$python" Tests/conformance/clients.py --server-command "$bin/sqlserver-simulator serve --listen 127.0.0.1:0 --database test --login sa:gf6w6dkD:sysadmin --login flow_capture:we2rie1E:reader" "$@"
