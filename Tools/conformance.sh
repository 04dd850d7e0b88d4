#!/usr/bin/env bash
# Independent clients (python-tds, pymssql, Microsoft's mssql-python) log in to the simulator and read from it.
set -euo pipefail
cd "$(dirname "$0")/.."
. Tools/venv.sh
# python-tds reads certificates by a call that newer versions of pyOpenSSL lack.
venv conformance python-tds pymssql mssql-python "pyOpenSSL<24"
bin=$(swift build -c release --show-bin-path)
exec "$python" Tests/conformance/clients.py --server-command "$bin/sqlserver-simulator serve --listen 127.0.0.1:0 --database test --login sa:Conformance1!:sysadmin" "$@"
