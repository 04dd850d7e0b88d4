#!/usr/bin/env bash
# `make bench`: builds the benchmarks, gets the other clients where ../shared/bench is there, and measures. Arguments go to bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=${SHARED:-../shared}
swift build -c release --package-path Benchmarks
peers=()
python=python3
if [ -d "$shared/bench" ] && [ -z "${NO_PEERS:-}" ]; then
    . Tools/venv.sh
    # Every peer is optional: what can't be installed is left out of the table.
    venv bench pip
    for package in mssql-python arrow-odbc connectorx pyarrow pymssql; do
        "$python" -m pip install --quiet --disable-pip-version-check "$package" || echo "SKIPPED: $package can't be installed" >&2
    done
    [ -e /usr/include/sql.h ] || echo "SKIPPED: the ODBC drivers, because unixodbc-dev (and tdsodbc, gcc) is not installed" >&2
    peers=(--peers)
fi
exec "$python" Tools/bench.py --bin "$(swift build -c release --show-bin-path)" --memory Benchmarks/.build/release/tds-benchmarks --shared "$shared" "${peers[@]}" "$@"
