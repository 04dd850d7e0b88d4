#!/usr/bin/env python3
"""Independent clients against the simulator: python-tds, pymssql (FreeTDS) and mssql-python (Microsoft's own driver).

  clients.py --server-command '.build/debug/sqlserver-simulator serve --listen 127.0.0.1:0 --database test \
                               --login sa:Conformance1!:sysadmin' [--only REGEX] [--strict-skips]

Needs `pip install python-tds pyOpenSSL pymssql mssql-python`, and for mssql-python the Debian packages libltdl7,
libkrb5-3 and libgssapi-krb5-2. It starts the server, waits for its line "listening on HOST:PORT", has every client log in
with every encryption that the client knows (full TLS with the certificate verified, login-only, none, strict), and runs the
same checks in each: a table of all common types with NULLs and extremes, parameters, a transaction, errors, several results
in a batch, a large result, cancellation, bulk copy, older versions of TDS. Prints a table of client x encryption; exits with 1 if anything failed. A client
that is not installed, or a check that a client can't do, is said loudly; with --strict-skips a missing client is a failure.

`--write-certificate FILE` is added to the server's command, so that clients can verify the certificate it makes.
"""

import argparse
import datetime as dt
import decimal
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import uuid

USER, PASSWORD, DATABASE = "sa", "Conformance1!", "test"
D = decimal.Decimal
UTC = dt.timezone.utc
BIG_ROWS = 100_000

# name, SQL type, [(SQL literal, Python value)...]; every column also gets a NULL.
COLUMNS = [
    ("c_bit", "bit", [("1", True), ("0", False)]),
    ("c_tinyint", "tinyint", [("255", 255), ("0", 0)]),
    ("c_smallint", "smallint", [("-32768", -32768), ("32767", 32767)]),
    ("c_int", "int", [("-2147483648", -2147483648), ("2147483647", 2147483647)]),
    ("c_bigint", "bigint", [("-9223372036854775808", -(2**63)), ("9223372036854775807", 2**63 - 1)]),
    ("c_decimal", "decimal(38,10)", [("-1234567890123456789012345678.0123456789", D("-1234567890123456789012345678.0123456789")), ("0.5", D("0.5"))]),
    ("c_numeric", "numeric(9,2)", [("9999999.99", D("9999999.99")), ("-0.01", D("-0.01"))]),
    ("c_money", "money", [("922337203685477.5807", D("922337203685477.5807")), ("-1.5", D("-1.5"))]),
    ("c_smallmoney", "smallmoney", [("-214748.3648", D("-214748.3648")), ("1", D("1"))]),
    ("c_float", "float", [("1.7976931348623157E+308", 1.7976931348623157e308), ("-0.1", -0.1)]),
    ("c_real", "real", [("0.5", 0.5), ("-1.5E+9", -1.5e9)]),
    ("c_char", "char(6)", [("'abc'", "abc   "), ("'naïve'", "naïve ")]),
    ("c_varchar", "varchar(50)", [("''", ""), ("'Zürich – €'", "Zürich – €")]),
    ("c_varcharmax", "varchar(max)", [("REPLICATE(CAST('x' AS varchar(max)), 9000)", "x" * 9000), ("''", "")]),
    ("c_nchar", "nchar(4)", [("N'日本'", "日本  "), ("N'ab'", "ab  ")]),
    ("c_nvarchar", "nvarchar(50)", [("N'Ünïcödé 🎉'", "Ünïcödé 🎉"), ("N''", "")]),
    ("c_nvarcharmax", "nvarchar(max)", [("REPLICATE(CAST(N'é' AS nvarchar(max)), 5000)", "é" * 5000), ("N'x'", "x")]),
    ("c_text", "text", [("'some text'", "some text"), ("'x'", "x")]),
    ("c_ntext", "ntext", [("N'some ntext ✓'", "some ntext ✓"), ("N'x'", "x")]),
    ("c_binary", "binary(4)", [("0x00FF01FE", b"\x00\xff\x01\xfe"), ("0x01", b"\x01\x00\x00\x00")]),
    ("c_varbinary", "varbinary(20)", [("0xDEADBEEF", b"\xde\xad\xbe\xef"), ("0x", b"")]),
    ("c_varbinarymax", "varbinary(max)", [("CAST(REPLICATE(CAST('z' AS varchar(max)), 10000) AS varbinary(max))", b"z" * 10000), ("0x00", b"\x00")]),
    ("c_image", "image", [("0x0102", b"\x01\x02"), ("0x", b"")]),
    ("c_date", "date", [("'0001-01-01'", dt.date(1, 1, 1)), ("'9999-12-31'", dt.date(9999, 12, 31))]),
    ("c_time", "time(6)", [("'23:59:59.999999'", dt.time(23, 59, 59, 999999)), ("'00:00:00'", dt.time(0, 0))]),
    ("c_datetime", "datetime", [("'1753-01-01T00:00:00'", dt.datetime(1753, 1, 1)), ("'9999-12-31T23:59:59.990'", dt.datetime(9999, 12, 31, 23, 59, 59, 990000))]),
    ("c_smalldatetime", "smalldatetime", [("'1900-01-01T00:00:00'", dt.datetime(1900, 1, 1)), ("'2079-06-06T23:59:00'", dt.datetime(2079, 6, 6, 23, 59))]),
    ("c_datetime2", "datetime2(6)", [("'0001-01-01T00:00:00'", dt.datetime(1, 1, 1)), ("'9999-12-31T23:59:59.999999'", dt.datetime(9999, 12, 31, 23, 59, 59, 999999))]),
    (
        "c_datetimeoffset",
        "datetimeoffset(6)",
        [
            ("'2024-02-29T12:34:56.123456+05:30'", dt.datetime(2024, 2, 29, 12, 34, 56, 123456, dt.timezone(dt.timedelta(minutes=330)))),
            ("'2000-01-01T00:00:00-08:00'", dt.datetime(2000, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-8)))),
        ],
    ),
    ("c_uniqueidentifier", "uniqueidentifier", [(f"'{u}'", uuid.UUID(u)) for u in ("6f9619ff-8b86-d011-b42d-00c04fc964ff", "00000000-0000-0000-0000-000000000001")]),
    ("c_xml", "xml", [("N'<a b=\"1\">é</a>'", '<a b="1">é</a>'), ("N'<x/>'", "<x/>")]),
]
# What a client does differently, and why that is the client's affair and not the server's: (client, column).
CLIENT_LIMITS = {
    ("pymssql", "c_datetimeoffset"): "pymssql gives datetimeoffset as bytes or text, by version",
}


class Skip(Exception):
    pass


def equal(expected, actual):
    if isinstance(expected, bytes):
        return actual is not None and bytes(actual) == expected
    if isinstance(expected, uuid.UUID):
        return actual == expected or str(actual).lower() == str(expected)
    if isinstance(expected, dt.datetime) and expected.tzinfo is not None:
        return isinstance(actual, dt.datetime) and actual.tzinfo is not None and actual == expected and actual.utcoffset() == expected.utcoffset()
    if isinstance(expected, bool):
        return actual is not None and bool(actual) == expected and int(actual) == int(expected)
    return actual == expected


class Client:
    """One library. `modes` are the encryptions that it knows."""

    name = ""
    modes = ()
    marker = "%s"  # a parameter's place
    versions = ()  # of TDS, beside the one that the client takes by itself

    def __init__(self, host, port, certificate):
        self.host, self.port, self.certificate = host, port, certificate

    def connect(self, mode, password=PASSWORD, database=DATABASE):
        raise NotImplementedError

    def bulk(self, connection, rows):
        """Copies rows (int, str, Decimal, date) into conformance_bulk by INSERT BULK."""
        raise Skip("the client has no bulk copy")

    def parameter(self, value):
        """The value as the client wants it as a parameter."""
        return value

    def number(self, error):
        """The server's error number in a client's exception."""
        raise NotImplementedError

    def cancel(self, connection, cursor):
        """Stops what runs; the connection must be good afterwards."""
        raise NotImplementedError


class PythonTDS(Client):
    name = "python-tds"
    modes = ("none", "login-only", "full")

    versions = ("7.0", "7.1", "7.2", "7.3")

    def connect(self, mode, password=PASSWORD, database=DATABASE, version="7.4"):
        import pytds

        tls = {} if mode == "none" else {"cafile": self.certificate, "validate_host": True, "enc_login_only": mode == "login-only"}
        # Verified for a name in the certificate.
        return pytds.connect(
            dsn="localhost" if tls else self.host, port=self.port, user=USER, password=password, database=database, login_timeout=15, timeout=60,
            autocommit=False, use_tz=None, tds_version=getattr(pytds.tds_base, "TDS" + version.replace(".", "")), **tls)

    def bulk(self, connection, rows):
        from pytds.tds_base import Column
        from pytds.tds_types import DateType, DecimalType, IntType, NVarCharType

        kinds = [("id", IntType()), ("name", NVarCharType(size=50)), ("amount", DecimalType(18, 2)), ("day", DateType())]
        connection.cursor().copy_to(data=rows, table_or_view="conformance_bulk", columns=[Column(name, type=kind) for name, kind in kinds])

    def parameter(self, value):
        import pytds

        # Plain bytes are text to it.
        return pytds.Binary(value) if isinstance(value, bytes) else value

    def number(self, error):
        return getattr(error, "number", None) or getattr(error, "msg_no", None)

    def cancel(self, connection, cursor):
        cursor.cancel()


class PyMSSQL(Client):
    name = "pymssql"
    modes = ("none", "login-only", "full")

    versions = ("7.0", "7.1", "7.2", "7.3")

    def connect(self, mode, password=PASSWORD, database=DATABASE, version="7.4"):
        import pymssql

        encryption = {"none": "off", "login-only": "request", "full": "require"}[mode]
        return pymssql.connect(
            server=self.host, port=str(self.port), user=USER, password=password, database=database, login_timeout=15, timeout=60,
            encryption=encryption, charset="UTF-8", tds_version=version)

    def bulk(self, connection, rows):
        # It takes decimals and dates as text.
        connection.bulk_copy("conformance_bulk", [(n, name, None if amount is None else str(amount), str(day)) for n, name, amount, day in rows])

    def number(self, error):
        for argument in error.args:
            if isinstance(argument, int):
                return argument
            if isinstance(argument, tuple) and argument and isinstance(argument[0], int):
                return argument[0]
        return None

    def cancel(self, connection, cursor):
        # The rest is cancelled when the cursor is closed with rows left.
        connection._conn.cancel()


class MSSQLPython(Client):
    name = "mssql-python"
    modes = ("login-only", "full", "strict")
    marker = "?"

    def connect(self, mode, password=PASSWORD, database=DATABASE):
        import mssql_python

        os.environ["SSL_CERT_FILE"] = self.certificate
        text = f"SERVER=localhost,{self.port};DATABASE={database};UID={USER};PWD={password};"
        text += {
            "login-only": "Encrypt=no",
            # Only Encrypt=strict compares certificates; here the chain is verified, against what OpenSSL takes for the system's authorities.
            "full": "Encrypt=yes",
            "strict": f"Encrypt=strict;ServerCertificate={self.certificate}",
        }[mode]
        return mssql_python.connect(text, timeout=60)

    def bulk(self, connection, rows):
        # By a connection of its own, of Microsoft's Rust client.
        connection.cursor().bulkcopy("conformance_bulk", rows)

    def number(self, error):
        # The driver's exception has text only.
        return None

    def cancel(self, connection, cursor):
        # The driver cancels what a cursor has left when it is closed.
        cursor.close()


# Checks. Each gets the client and a connection of its own.


def check_select(client, connection):
    cursor = connection.cursor()
    cursor.execute("SELECT 1 AS one, N'zwölf' AS twelve, NULL AS nothing")
    assert [c[0] for c in cursor.description] == ["one", "twelve", "nothing"], cursor.description
    assert [tuple(row) for row in cursor.fetchall()] == [(1, "zwölf", None)]


def check_types(client, connection):
    cursor = connection.cursor()
    wrong = []
    for index, (name, kind, values) in enumerate(COLUMNS):
        if (client.name, name) in CLIENT_LIMITS:
            continue
        cursor.execute(f"SELECT id, {name} FROM conformance_types ORDER BY id")
        rows = cursor.fetchall()
        expected = [value for _, value in values] + [None]
        actual = [row[1] for row in rows]
        for want, got in zip(expected, actual):
            if not (got is None if want is None else equal(want, got)):
                wrong.append(f"{name} {kind}: {want!r:.60} came as {got!r:.60}")
        if len(actual) != len(expected):
            wrong.append(f"{name}: {len(actual)} rows")
    assert not wrong, "; ".join(wrong)
    # All of them in one row, NULLs mixed in.
    names = [name for name, _, _ in COLUMNS if (client.name, name) not in CLIENT_LIMITS]
    cursor.execute(f"SELECT {', '.join(names)} FROM conformance_types ORDER BY id")
    rows = [tuple(row) for row in cursor.fetchall()]
    assert len(rows) == 3 and rows[2] == (None,) * len(names), "the row of NULLs"


def check_parameters(client, connection):
    m = client.marker
    cursor = connection.cursor()
    values = [
        -5, 2**40, "naïve 🎉", "", "x" * 5000, None, D("12345.678"), 1.5, b"\x00\x01\xff", True, dt.date(2024, 2, 29),
        dt.datetime(2024, 2, 29, 12, 34, 56, 789000), uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    ]
    if client.name == "pymssql":
        # It writes parameters into the text, as literals that have another type there.
        values = [v for v in values if not isinstance(v, (D, dt.date, uuid.UUID, bytes, bool))]
    for value in values:
        cursor.execute(f"SELECT {m} AS v, {m} AS w", (client.parameter(value), 7))
        row = cursor.fetchone()
        assert (row[0] is None if value is None else equal(value, row[0])), f"{value!r:.60} came back as {row[0]!r:.60}"
        assert row[1] == 7
    cursor.execute(f"SELECT id, c_int FROM conformance_types WHERE c_varchar = {m} AND id > {m}", ("Zürich – €", 0))
    assert [tuple(row) for row in cursor.fetchall()] == [(2, 2147483647)]
    # The same statement again, prepared.
    for wanted in (1, 2, 1):
        cursor.execute(f"SELECT c_tinyint FROM conformance_types WHERE id = {m}", (wanted,))
        assert cursor.fetchone()[0] == {1: 255, 2: 0}[wanted]


def check_transaction(client, connection):
    m = client.marker
    cursor = connection.cursor()
    cursor.execute("DELETE FROM conformance_rows")
    connection.commit()
    cursor.execute(f"INSERT INTO conformance_rows (id, name) VALUES ({m}, {m})", (1, "one"))
    connection.rollback()
    cursor.execute("SELECT COUNT(*) FROM conformance_rows")
    assert cursor.fetchone()[0] == 0, "a rollback kept the row"
    cursor.execute(f"INSERT INTO conformance_rows (id, name) VALUES ({m}, {m})", (2, "two"))
    cursor.execute("UPDATE conformance_rows SET name = N'zwei' WHERE id = 2")
    assert cursor.rowcount == 1, cursor.rowcount
    connection.commit()
    other = client.connect(client.modes[-1])
    try:
        second = other.cursor()
        second.execute("SELECT id, name FROM conformance_rows")
        assert [tuple(row) for row in second.fetchall()] == [(2, "zwei")]
    finally:
        other.close()


def check_errors(client, connection):
    cursor = connection.cursor()
    for sql, number, part in [
        ("SELECT * FROM no_such_table", 208, "no_such_table"),
        ("SELECT no_such_column FROM conformance_rows", 207, "no_such_column"),
        ("SELEC 1", None, "SELEC"),
        ("SELECT 1/0", 8134, "zero"),
        ("INSERT INTO conformance_keys (id) VALUES (1), (1)", 2627, "duplicate"),
    ]:
        try:
            cursor.execute(sql)
            while True:
                cursor.fetchall()
                if not cursor.nextset():
                    break
        except AssertionError:
            raise
        except Exception as error:
            assert part.lower() in str(error).lower(), f"{sql}: {error}"
            got = client.number(error)
            assert got in (None, number) or number is None, f"{sql}: error {got}"
        else:
            raise AssertionError(f"{sql} did not fail")
        connection.rollback()
    cursor = connection.cursor()
    cursor.execute("SELECT 5")
    assert cursor.fetchone()[0] == 5, "the connection after errors"


def check_results(client, connection):
    cursor = connection.cursor()
    cursor.execute("SELECT 1 AS a; SELECT N'x' AS b, 2 AS c WHERE 1 = 0; SELECT 3 AS d UNION ALL SELECT 4")
    results = []
    while True:
        results.append([tuple(row) for row in cursor.fetchall()])
        if not cursor.nextset():
            break
    assert results == [[(1,)], [], [(3,), (4,)]], results


def check_large(client, connection):
    cursor = connection.cursor()
    cursor.execute("SELECT id, name, amount FROM conformance_big ORDER BY id")
    count = total = 0
    for row in iter(cursor.fetchone, None):
        count += 1
        total += row[0]
        if row[0] % 9973 == 0:
            assert row[1] == f"row {row[0]} ✓" and row[2] == D(row[0]) / 4, row
    assert (count, total) == (BIG_ROWS, BIG_ROWS * (BIG_ROWS + 1) // 2), (count, total)


def check_cancel(client, connection):
    cursor = connection.cursor()
    start = time.monotonic()
    cursor.execute("SELECT a.id, a.name FROM conformance_big AS a CROSS JOIN conformance_keys AS k")
    for _ in range(10):
        assert cursor.fetchone() is not None
    client.cancel(connection, cursor)
    cursor = connection.cursor()
    cursor.execute("SELECT 6")
    assert cursor.fetchone()[0] == 6, "the connection after a cancellation"
    assert time.monotonic() - start < 30, "a cancellation took half a minute"


def check_bulk(client, connection):
    rows = [(n, None if n % 7 == 0 else f"row {n} ✓", None if n % 5 == 0 else D(n) / 4, dt.date(2024, 1, 1) + dt.timedelta(n % 366)) for n in range(1, 2001)]
    cursor = connection.cursor()
    cursor.execute("DELETE FROM conformance_bulk")
    connection.commit()
    client.bulk(connection, rows)
    connection.commit()
    cursor = connection.cursor()
    cursor.execute("SELECT id, name, amount, day FROM conformance_bulk ORDER BY id")
    got = [tuple(row) for row in cursor.fetchall()]
    assert got == rows, f"{len(got)} rows, the first that differs: {next((pair for pair in zip(got, rows) if pair[0] != pair[1]), None)}"


def check_versions(client, connection):
    if not client.versions:
        raise Skip("the client speaks one version of TDS only")
    for version in client.versions:
        older = client.connect(client.modes[-1], version=version)
        try:
            cursor = older.cursor()
            cursor.execute("SELECT id, c_int, c_nvarchar, c_nvarcharmax, c_varbinarymax, c_decimal, c_xml, c_date FROM conformance_types ORDER BY id")
            rows = [tuple(row) for row in cursor.fetchall()]
            # Before 7.3 a date is text.
            day = dt.date(1, 1, 1) if version >= "7.3" else "0001-01-01"
            assert rows[0] == (1, -2147483648, "Ünïcödé 🎉", "é" * 5000, b"z" * 10000, D("-1234567890123456789012345678.0123456789"), '<a b="1">é</a>', day), (version, rows[0])
            assert rows[2] == (3,) + (None,) * 7, (version, rows[2])
        finally:
            older.close()


def check_wrong_password(client, mode):
    try:
        client.connect(mode, password="wrong").close()
    except Exception as error:
        assert "login failed" in str(error).lower() or client.number(error) == 18456, str(error)
    else:
        raise AssertionError("a wrong password was accepted")


def check_wrong_database(client, mode):
    try:
        client.connect(mode, database="no_such_database").close()
    except Exception as error:
        # FreeTDS keeps the number of the last message, and not its text.
        assert "no_such_database" in str(error) or "login failed" in str(error).lower() or client.number(error) in (4060, 18456), str(error)
    else:
        raise AssertionError("an unknown database was opened")


CHECKS = [check_select, check_types, check_parameters, check_transaction, check_errors, check_results, check_large, check_cancel, check_bulk, check_versions]
LOGIN_CHECKS = [check_wrong_password, check_wrong_database]


def set_up(client):
    connection = client.connect("full")
    cursor = connection.cursor()
    columns = ", ".join(f"{name} {kind} NULL" for name, kind, _ in COLUMNS)
    cursor.execute(f"CREATE TABLE conformance_types (id int NOT NULL PRIMARY KEY, {columns})")
    for number in (0, 1):
        literals = ", ".join(values[number][0] for _, _, values in COLUMNS)
        cursor.execute(f"INSERT INTO conformance_types (id, {', '.join(c[0] for c in COLUMNS)}) VALUES ({number + 1}, {literals})")
    cursor.execute("INSERT INTO conformance_types (id) VALUES (3)")
    cursor.execute("CREATE TABLE conformance_rows (id int NOT NULL PRIMARY KEY, name nvarchar(50) NULL)")
    cursor.execute("CREATE TABLE conformance_keys (id int NOT NULL PRIMARY KEY)")
    cursor.execute("INSERT INTO conformance_keys (id) VALUES " + ", ".join(f"({n})" for n in range(10, 60)))
    cursor.execute("CREATE TABLE conformance_bulk (id int NOT NULL PRIMARY KEY, name nvarchar(50) NULL, amount decimal(18,2) NULL, day date NULL)")
    cursor.execute("CREATE TABLE conformance_big (id int NOT NULL PRIMARY KEY, name nvarchar(40) NOT NULL, amount decimal(18,2) NULL)")
    step = 1000
    for first in range(1, BIG_ROWS + 1, step):
        cursor.execute(
            "INSERT INTO conformance_big (id, name, amount) VALUES " + ", ".join(f"({n}, N'row {n} ✓', {n / 4})" for n in range(first, first + step)))
    connection.commit()
    connection.close()


class Server:
    def __init__(self, command, certificate):
        self.process = subprocess.Popen(
            shlex.split(command) + ["--write-certificate", certificate], stdout=subprocess.PIPE, text=True)
        self.host = self.port = None
        timer = threading.Timer(60, self.process.kill)
        timer.start()
        for line in self.process.stdout:
            match = re.match(r"listening on (.*):(\d+)$", line.strip())
            if match:
                self.host, self.port = match.group(1).strip("[]"), int(match.group(2))
                break
        timer.cancel()
        if self.port is None:
            raise SystemExit("the server did not say that it listens")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "the server did not end within 10 seconds of SIGTERM"
        return None if code == 0 else f"the server ended with {code}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--server-command", required=True)
    arguments.add_argument("--only", default="", help="a regular expression for 'client mode check'")
    arguments.add_argument("--strict-skips", action="store_true", help="a client that is not installed is a failure")
    arguments.add_argument("--verbose", action="store_true")
    options = arguments.parse_args()
    failures, skipped, table = [], [], {}

    directory = tempfile.mkdtemp(prefix="conformance-")
    server = Server(options.server_command, os.path.join(directory, "server.pem"))
    certificate = os.path.join(directory, "server.pem")
    try:
        clients = []
        for kind in (PythonTDS, PyMSSQL, MSSQLPython):
            module = {"python-tds": "pytds", "pymssql": "pymssql", "mssql-python": "mssql_python"}[kind.name]
            try:
                __import__(module)
                if kind is PythonTDS:
                    __import__("OpenSSL")
            except Exception as error:
                skipped.append(f"{kind.name}: not installed or not loadable ({error})")
                if options.strict_skips:
                    failures.append(skipped[-1])
                continue
            clients.append(kind(server.host, server.port, certificate))
        if not clients:
            raise SystemExit("no client is installed: pip install python-tds pyOpenSSL pymssql mssql-python")
        set_up(clients[0])
        for client in clients:
            for (name, column), reason in CLIENT_LIMITS.items():
                if name == client.name:
                    skipped.append(f"{client.name}, {column}: {reason}")
            for mode in client.modes:
                passed = 0
                problems = []
                for check in CHECKS + LOGIN_CHECKS:
                    label = f"{client.name} {mode} {check.__name__[6:]}"
                    if not re.search(options.only, label):
                        continue
                    started = time.monotonic()
                    connection = None
                    try:
                        if check in LOGIN_CHECKS:
                            check(client, mode)
                        else:
                            connection = client.connect(mode)
                            check(client, connection)
                        passed += 1
                    except Skip as reason:
                        skipped.append(f"{label}: {reason}")
                    except Exception as error:
                        problems.append(check.__name__[6:])
                        failures.append(f"{label}: {type(error).__name__}: {error}")
                        if options.verbose:
                            traceback.print_exc()
                    finally:
                        try:
                            if connection is not None:
                                connection.close()
                        except Exception as error:
                            failures.append(f"{label}: closing: {type(error).__name__}: {error}")
                    if options.verbose:
                        print(f"{label}: {time.monotonic() - started:.2f} s", file=sys.stderr)
                table[client.name, mode] = f"{passed} passed" + (f", FAILED: {', '.join(problems)}" if problems else "")
    finally:
        problem = server.stop()
        if problem:
            failures.append(problem)

    print(f"{'client':14} {'encryption':12} result")
    for (name, mode), result in table.items():
        print(f"{name:14} {mode:12} {result}")
    for text in skipped:
        print(f"SKIPPED {text}")
    for text in failures:
        print(f"FAILED {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
