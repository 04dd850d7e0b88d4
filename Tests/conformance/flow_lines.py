#!/usr/bin/env python3
"""Runs a whole session of the connector against the simulator, and hands every line that it sends to flow_check.py.

  flow_lines.py --check .../flow_check.py --server .../sqlserver-simulator --connector .../connector
"""
import argparse
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def session(connector, requests, stop=False):
    """Sends the requests, and returns the lines that came back."""
    environment = {**os.environ, "FLOW_RUNTIME_CODEC": "json", "LOG_LEVEL": "warn", "SHUTDOWN_AFTER_POLLING": "yes" if stop else ""}
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    # An open capture ends by itself; everything else ends with the requests.
    process = subprocess.run([connector], input=lines, stdout=subprocess.PIPE, text=True, env=environment, timeout=60)
    if process.returncode:
        sys.exit(f"the connector ended with status {process.returncode}")
    return process.stdout.splitlines()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--check", "--server", "--connector"):
        arguments.add_argument(name, required=True)
    options = arguments.parse_args()

    server = subprocess.Popen(
        [options.server, "serve", "--listen", "127.0.0.1:0", "--database", "shop", "--login", "sa:gf6w6dkD:sysadmin", "--login", "flow_capture:we2rie1E:reader",
         "--script", os.path.join(ROOT, "Demo", "shop.sql")], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"listening on (\S+)", server.stdout.readline()).group(1)
        config = {"address": address, "database": "shop", "user": "flow_capture", "password": "we2rie1E", "historyMode": False}
        spec = {"spec": {"connectorType": "IMAGE"}}
        lines = session(options.connector, [spec, {"discover": {"connectorType": "IMAGE", "config": config}}])
        discovered = json.loads(lines[-1])["discovered"]["bindings"]
        bindings = [{"resourceConfig": b["resourceConfig"], "backfill": 0,
                     "collection": {"name": "acme/" + b["recommendedName"], "key": b["key"], "writeSchema": b["documentSchema"]}} for b in discovered]
        lines += session(options.connector, [spec, {"validate": {"name": "acme/capture", "connectorType": "IMAGE", "config": config, "bindings": bindings}}])[1:]
        paths = [[b["resourceConfig"]["namespace"], b["resourceConfig"]["stream"]] for b in discovered]
        capture = {"name": "acme/capture", "connectorType": "IMAGE", "config": config, "intervalSeconds": 300,
                   "bindings": [{**b, "resourcePath": path, "stateKey": "%2F".join(path)} for b, path in zip(bindings, paths)]}
        lines += session(options.connector, [spec, {"apply": {"capture": capture, "version": "1"}}])[1:]
        opening = {"open": {"capture": capture, "version": "1", "state": {}, "range": {"keyEnd": 4294967295, "rClockEnd": 4294967295}}}
        lines += session(options.connector, [spec, opening], stop=True)[1:]
    finally:
        server.terminate()
        server.wait()
    check = subprocess.run([sys.executable, options.check, "--quiet"], input="\n".join(lines) + "\n", text=True)
    documents = sum(1 for line in lines if line.startswith('{"captured"'))
    print(f"{len(lines)} lines, {documents} of them documents")
    sys.exit(check.returncode or (0 if documents >= 20 else 1))


if __name__ == "__main__":
    main()
