#!/usr/bin/env python3
"""Records short sessions of independent clients with the simulator, in the clear: Fixtures/recordings/*.pcap.gz.

  record.py --simulator .build/debug/sqlserver-simulator --output Fixtures/recordings [--only REGEX]

Each client talks through `sqlserver-simulator record`, which blanks the credentials. Needs `pip install python-tds pymssql mssql-python
connectorx pyarrow`. A client that is not there, or that insists on TLS, is skipped loudly. The recordings differ from run to run in process ids
and times only; make them again when what they show changes, not otherwise, and change README.md beside them.
"""

import argparse
import datetime as dt
import decimal
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
import uuid

USER, PASSWORD, DATABASE = "sa", "Recording1!", "test"
SETUP = """
CREATE TABLE dbo.types (
    id int NOT NULL PRIMARY KEY, c_bit bit, c_tinyint tinyint, c_smallint smallint, c_bigint bigint, c_decimal decimal(38,10), c_money money,
    c_smallmoney smallmoney, c_float float, c_real real, c_char char(6), c_varchar varchar(50), c_varcharmax varchar(max), c_nchar nchar(4),
    c_nvarchar nvarchar(50), c_nvarcharmax nvarchar(max), c_text text, c_ntext ntext, c_binary binary(4), c_varbinary varbinary(20),
    c_varbinarymax varbinary(max), c_image image, c_date date, c_time time(7), c_datetime datetime, c_smalldatetime smalldatetime,
    c_datetime2 datetime2(3), c_datetimeoffset datetimeoffset(0), c_guid uniqueidentifier, c_xml xml);
INSERT INTO dbo.types VALUES (1, 1, 255, -32768, -9223372036854775808, 1234567890123456789012345678.0123456789, 922337203685477.5807, -214748.3648,
    1.7976931348623157E+308, -1.5, 'naïve', 'Zürich – €', REPLICATE(CAST('x' AS varchar(max)), 9000), N'日本', N'Ünïcödé 🎉',
    REPLICATE(CAST(N'é' AS nvarchar(max)), 5000), 'some text', N'some ntext ✓', 0x00FF01FE, 0xDEADBEEF, 0x0102, 0x0304, '9999-12-31', '23:59:59.9999999',
    '1753-01-01T00:00:00', '2079-06-06T23:59:00', '2024-02-29T12:34:56.789', '2024-02-29T12:34:56+05:30', '6f9619ff-8b86-d011-b42d-00c04fc964ff',
    N'<a b="1">é</a>');
INSERT INTO dbo.types (id) VALUES (2);
CREATE TABLE dbo.loaded (id int NOT NULL, name nvarchar(50) NULL, at datetime2(3) NULL);
CREATE TABLE dbo.keys (id int NOT NULL PRIMARY KEY, name nvarchar(50));
"""
BATCH = "SELECT 1 AS one, N'zwölf' AS twelve, NULL AS nothing; PRINT N'between'; SELECT id FROM dbo.types ORDER BY id"
# The types that connectorx knows.
PLAIN = "id, c_bit, c_tinyint, c_smallint, c_bigint, c_float, c_real, c_varchar, c_nvarchar, c_nvarcharmax, c_varbinary, c_date, c_time, c_datetime2, c_guid"


def results(cursor):
    """Reads all results of a batch."""
    while True:
        if cursor.description:
            cursor.fetchall()
        if not cursor.nextset():
            return


def common(connection, marker):
    """What every DB API client does."""
    cursor = connection.cursor()
    cursor.execute(BATCH)
    results(cursor)
    cursor.execute("SELECT * FROM dbo.types ORDER BY id")
    assert len(cursor.fetchall()) == 2
    for value in (-5, 2**40, "naïve 🎉", "x" * 5000, None, 1.5):
        cursor.execute(f"SELECT {marker} AS v", (value,))
        assert cursor.fetchone()[0] == value
    connection.commit()
    cursor.execute(f"INSERT INTO dbo.keys (id, name) VALUES ({marker}, {marker})", (1, "eins"))
    connection.rollback()
    cursor.execute(f"INSERT INTO dbo.keys (id, name) VALUES ({marker}, {marker})", (2, "zwei"))
    connection.commit()
    for bad in ("SELECT * FROM no_such_table", "INSERT INTO dbo.keys (id) VALUES (2)"):
        try:
            cursor.execute(bad)
            results(cursor)
        except Exception as error:
            print(f"  as expected: {str(error)[:100]!r}")
        else:
            raise AssertionError(f"no error: {bad}")
        connection.rollback()
    cursor.execute("DELETE FROM dbo.keys")
    connection.commit()


def python_tds(host, port):
    import pytds

    with pytds.connect(dsn=host, port=port, user=USER, password=PASSWORD, database=DATABASE, autocommit=False, use_tz=None, timeout=30) as connection:
        common(connection, "%s")
        cursor = connection.cursor()
        for value in (decimal.Decimal("12345.678"), dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 12, 34, 56, 789000), pytds.Binary(b"\0\1\xff"), True,
                      uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")):
            cursor.execute("SELECT %s AS v", (value,))
            cursor.fetchone()
        # A procedure with an output parameter.
        values = cursor.callproc("sp_executesql", ["SET @o = @i * 2", "@i int, @o int OUTPUT", 21, pytds.output(param_type="int")])
        assert values[-1] == 42, values
        # Bulk load.
        columns = [pytds.Column("id", type=pytds.tds_types.IntType()), pytds.Column("name", type=pytds.tds_types.NVarCharType(size=50))]
        cursor.copy_to(data=[(1, "eins"), (2, None), (3, "drei")], table_or_view="loaded", schema="dbo", columns=columns)
        connection.commit()
        cursor.execute("SELECT COUNT(*) FROM dbo.loaded")
        assert cursor.fetchone()[0] == 3
        # Attention: the result is given up before its end.
        cursor.execute("SELECT TOP 3000 a.id, a.c_nvarchar FROM dbo.types a CROSS JOIN dbo.types b")
        cursor.fetchone()
        cursor.cancel()
        cursor.execute("SELECT 1 AS after_cancel")
        assert cursor.fetchone()[0] == 1


def pymssql(host, port):
    import pymssql

    connection = pymssql.connect(server=host, port=str(port), user=USER, password=PASSWORD, database=DATABASE, encryption="off", charset="UTF-8",
                                 tds_version="7.4", login_timeout=15, timeout=30)
    common(connection, "%s")
    cursor = connection.cursor()
    cursor.callproc("sp_executesql", ("SELECT 7 AS seven",))
    connection._conn.cancel()
    cursor.execute("SELECT 1 AS after_cancel")
    assert cursor.fetchone()[0] == 1
    if hasattr(connection, "bulk_copy"):
        connection.bulk_copy("dbo.loaded", [(4, "vier", "2024-02-29 12:34:56.789"), (5, None, None)])
        connection.commit()
    connection.close()


def mssql_python(host, port):
    import mssql_python

    connection = mssql_python.connect(f"SERVER={host},{port};DATABASE={DATABASE};UID={USER};PWD={PASSWORD};Encrypt=no;", timeout=30)
    common(connection, "?")
    cursor = connection.cursor()
    for value in (decimal.Decimal("12345.678"), dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 12, 34, 56, 789000), b"\0\1\xff", True,
                  uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")):
        cursor.execute("SELECT ? AS v", (value,))
        cursor.fetchone()
    connection.rollback()
    connection.close()


def connectorx(host, port):
    import connectorx

    # Without `encrypt` it asks for none; with encrypt=false it insists on an encrypted login.
    table = connectorx.read_sql(f"mssql://{USER}:{PASSWORD.replace('!', '%21')}@{host}:{port}/{DATABASE}",
                                f"SELECT {PLAIN} FROM dbo.types", return_type="arrow")
    assert table.num_rows == 2, table


CLIENTS = {"python-tds": python_tds, "pymssql": pymssql, "mssql-python": mssql_python, "connectorx": connectorx}


def started(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        found = re.search(r"listening on \S+:(\d+)", line)
        if found:
            return process, int(found.group(1))
    sys.exit(f"{command[1]} ended before it listened")


def stop(process):
    process.terminate()
    if process.wait(timeout=30) != 0:
        sys.exit(f"{process.args[1]} ended with status {process.returncode}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--simulator", required=True)
    arguments.add_argument("--output", required=True, help="a folder")
    arguments.add_argument("--only", default="", help="a regular expression of clients' names")
    options = arguments.parse_args()
    os.makedirs(options.output, exist_ok=True)
    failed = False
    for name, session in CLIENTS.items():
        if not re.search(options.only, name):
            continue
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            print(f"SKIPPED: {name} is not installed", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            script = os.path.join(folder, "setup.sql")
            with open(script, "w", encoding="utf-8") as file:
                file.write(SETUP)
            server, port = started([options.simulator, "serve", "--listen", "127.0.0.1:0", "--encryption", "off", "--database", DATABASE,
                                    "--login", f"{USER}:{PASSWORD}:sysadmin", "--script", script])
            made = os.path.join(folder, f"{name}.pcap.gz")
            proxy, port = started([options.simulator, "record", "--server", f"127.0.0.1:{port}", "--output", made])
            try:
                session("127.0.0.1", port)
            except Exception as error:
                print(f"FAILED: {name} {version}: {error!r}", flush=True)
                failed = True
                continue
            finally:
                stop(proxy)
                stop(server)
            os.chmod(made, 0o644)
            target = os.path.join(options.output, f"{name}.pcap.gz")
            with open(made, "rb") as source, open(target, "wb") as file:
                file.write(source.read())
            print(f"{name} {version}: {os.path.getsize(target)} bytes", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
