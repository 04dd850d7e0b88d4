#!/usr/bin/env python3
"""Measures swift-tds, and other clients beside it where ../shared/bench is there. Prints a table; quote ratios, not times.

  bench.py --bin .build/release --memory Benchmarks/.build/release/tds-benchmarks [--shared ../shared] [--rows 1000000] [--runs 3] [--peers]

(a) decoding and transcoding from memory, one core
(b) tdsql reading a canned server's rows (shared/bench/replay_server.py), through a sink and as an asynchronous sequence; the same of
    other clients by shared/bench/peers.py in the same run
(c) the connector backfilling a table of the simulator to a pipe, JSON lines
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def heading(text):
    print(f"\n== {text}", flush=True)


def listening(process):
    for line in process.stdout:
        found = re.search(r"listening on (\S+?):(\d+)", line)
        if found:
            return f"{found.group(1)}:{found.group(2)}"
    sys.exit("a server ended before it listened")


def best(runs, body):
    """The fastest of some runs: (seconds, result)."""
    return min((body() for _ in range(runs)), key=lambda pair: pair[0])


def line(name, rows, seconds, note=""):
    print(f"{name:44} {rows:>9} rows {seconds:7.3f} s {rows / seconds / 1e6:6.2f} M rows/s   {note}", flush=True)


def tdsql(options, address, arguments):
    def run():
        out = subprocess.run([os.path.join(options.bin, "tdsql"), "-s", address, "-p", "x", "--trust-server-certificate", *arguments, options.sql],
                             capture_output=True, text=True)
        if out.returncode:
            sys.exit(f"tdsql: {out.stderr.strip()}")
        return float(re.search(r"seconds=([\d.]+)", out.stdout).group(1)), int(re.search(r"rows=(\d+)", out.stdout).group(1))
    return best(options.runs, run)


def clients(options):
    replay = os.path.join(options.shared, "bench", "replay_server.py")
    if os.path.exists(replay):
        port = "14330"
        server = subprocess.Popen([sys.executable, replay, port, str(options.rows)], stdout=subprocess.PIPE, text=True)
        source = "the canned server"
        options.sql = "SELECT * FROM benchrows"
    else:
        server, source = simulator(options, "x"), "the simulator (../shared/bench is not there)"
        options.sql = "SELECT * FROM dbo.benchrows"
    try:
        address = listening(server)
        for tls in ("off", "on"):
            heading(f"(b) reading {options.rows} rows from {source}, TLS {tls}")
            for name, flag in (("swift-tds, sink", "--discard"), ("swift-tds, AsyncSequence of rows", "--discard-rows")):
                seconds, rows = tdsql(options, address, ["--encrypt", "required" if tls == "on" else "off", flag])
                line(name, rows, seconds, f"tls {tls}")
            if options.peers and os.path.exists(replay):
                subprocess.run([sys.executable, os.path.join(options.shared, "bench", "peers.py"), "--port", port, "--rows", str(options.rows), "--runs",
                                str(options.runs), "--tls", tls], check=False)
    finally:
        server.terminate()
        server.wait()


def simulator(options, password):
    script = os.path.join(tempfile.mkdtemp(), "benchrows.sql")
    with open(os.path.join(ROOT, "Benchmarks", "benchrows.sql")) as source, open(script, "w") as target:
        target.write(source.read().replace("$(ROWS)", str(options.rows)))
    return subprocess.Popen([os.path.join(options.bin, "sqlserver-simulator"), "serve", "--listen", "127.0.0.1:0", "--database", "bench",
                             "--login", f"sa:{password}:sysadmin", "--login", f"flow_capture:{password}:reader", "--script", script],
                            stdout=subprocess.PIPE, text=True)


def connector(options):
    server = simulator(options, "we2rie1E")
    try:
        begin = time.perf_counter()
        address = listening(server)
        print(f"(the simulator made {options.rows} rows in {time.perf_counter() - begin:.1f} s)")
        for encryption in ("off", "required"):
            def run():
                return capture(options, address, encryption)
            seconds, (documents, size, peak) = best(options.runs, run)
            line(f"connector, backfill, JSON lines, TLS {'off' if encryption == 'off' else 'on'}", documents, seconds,
                 f"{size / seconds / 1e6:.0f} MB/s of lines, peak {peak // 1024} MiB")
    finally:
        server.terminate()
        server.wait()


def capture(options, address, encryption):
    config = {"address": address, "database": "bench", "user": "flow_capture", "password": "we2rie1E", "historyMode": False,
              "advanced": {"encryption": encryption}}
    binding = {"resourceConfig": {"namespace": "dbo", "stream": "benchrows"}, "resourcePath": ["dbo", "benchrows"], "stateKey": "dbo%2Fbenchrows",
               "collection": {"name": "bench/rows", "key": ["/id"], "writeSchema": {"type": "object"}}}
    capture = {"name": "bench/capture", "connectorType": "IMAGE", "config": config, "intervalSeconds": 300, "bindings": [binding]}
    request = {"open": {"capture": capture, "version": "1", "state": {}, "range": {"keyEnd": 4294967295, "rClockEnd": 4294967295}}}
    environment = {**os.environ, "FLOW_RUNTIME_CODEC": "json", "SHUTDOWN_AFTER_POLLING": "yes", "LOG_LEVEL": "warn"}
    begin = time.perf_counter()
    process = subprocess.Popen([os.path.join(options.bin, "connector")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    process.stdin.write(json.dumps({"spec": {}}).encode() + b"\n" + json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    lines, size = 0, 0
    descriptor = process.stdout.fileno()
    while chunk := os.read(descriptor, 1 << 20):
        lines += chunk.count(b"\n")
        size += len(chunk)
    seconds = time.perf_counter() - begin
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"the connector ended with status {os.waitstatus_to_exitcode(status)}")
    if lines < options.rows:
        sys.exit(f"the connector sent {lines} lines for {options.rows} rows")
    return seconds, (options.rows, size, usage.ru_maxrss)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", required=True, help="the folder of the release builds")
    arguments.add_argument("--memory", required=True, help="the program tds-benchmarks")
    arguments.add_argument("--shared", default=os.path.join(ROOT, "..", "shared"))
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--peers", action="store_true", help="measure other clients too (their packages must be installed)")
    options = arguments.parse_args()
    heading("(a) from memory, one core")
    subprocess.run([options.memory, "decode", "--rows", str(options.rows), "--runs", str(max(options.runs, 5))], check=True)
    clients(options)
    heading("(c) the connector, from the simulator to a pipe")
    connector(options)


if __name__ == "__main__":
    main()
