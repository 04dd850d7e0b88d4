#!/usr/bin/env python3
"""Writes Fixtures/golden/hand-types.hex: a result with a column of every type, its bytes made from MS-TDS 2.2.5.4 and 2.2.5.5 with nothing
but Python's struct, datetime, uuid and codecs.

Usage: python3 Tools/generate-type-golden.py       (from the package's root)

Each column is a comment with the value's expected text, TYPE_INFO and value; tests read the comments too.
"""
import datetime
import pathlib
import struct
import uuid

LATIN = bytes.fromhex("0904D00034")
RUSSIAN = bytes.fromhex("1904D00000")
JAPANESE = bytes.fromhex("1104D00000")
CHINESE = bytes.fromhex("0408D00000")
CP437 = bytes.fromhex("0904D00020")
UTF8 = bytes.fromhex("0904D02400")
u8, u16, u32, u64 = (lambda f: lambda v: struct.pack(f, v))("<B"), (lambda f: lambda v: struct.pack(f, v))("<H"), (
    lambda f: lambda v: struct.pack(f, v))("<I"), (lambda f: lambda v: struct.pack(f, v))("<Q")
i16, i32, i64 = (lambda v: struct.pack("<h", v)), (lambda v: struct.pack("<i", v)), (lambda v: struct.pack("<q", v))


def days(y, m, d, since=(1, 1, 1)):
    return (datetime.date(y, m, d) - datetime.date(*since)).days


def byte(data):
    return u8(len(data)) + data


def short(data):
    return u16(len(data)) + data


def plp(data, chunk=None):
    parts = [data[i:i + (chunk or len(data))] for i in range(0, len(data), chunk or len(data))] if data else []
    total = u64(0xFFFFFFFFFFFFFFFE) if chunk else u64(len(data))
    return total + b"".join(u32(len(p)) + p for p in parts) + u32(0)


def decimal(text, precision, size):
    magnitude = int(text.replace(".", "").replace("-", ""))
    return byte(u8(0 if text[0] == "-" else 1) + magnitude.to_bytes(size, "little")), len(text.split(".")[1]) if "." in text else 0


def time(h, m, s, fraction, scale):
    size = 3 if scale <= 2 else 4 if scale <= 4 else 5
    return (((h * 60 + m) * 60 + s) * 10 ** scale + fraction).to_bytes(size, "little")


def date(y, m, d):
    return days(y, m, d).to_bytes(3, "little")


def money(amount):
    return struct.pack("<iI", amount >> 32, amount & 0xFFFFFFFF)


def utf16(text):
    return text.encode("utf-16-le")


def names(*parts):
    return b"".join(u8(len(p)) + utf16(p) for p in parts)


def udt(name):
    return bytes([0xF0]) + u16(0xFFFF) + names("db", "sys", name) + u16(3) + utf16("Asm")


def textpointer(data):
    return u8(16) + bytes(range(16)) + bytes(8) + u32(len(data)) + data


guid = uuid.UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")
columns = []


def add(text, type_info, value, table=b""):
    columns.append((text, type_info, value, table))


add("255", bytes([0x30]), u8(255))
add("1", bytes([0x32]), u8(1))
add("-32768", bytes([0x34]), i16(-32768))
add("-2147483648", bytes([0x38]), i32(-2147483648))
add("9223372036854775807", bytes([0x7F]), i64(9223372036854775807))
add("0.1", bytes([0x3B]), struct.pack("<f", 0.1))
add("1e+100", bytes([0x3E]), struct.pack("<d", 1e100))
add("-214748.3648", bytes([0x7A]), i32(-2147483648))
add("-922337203685477.5808", bytes([0x3C]), money(-2 ** 63))
add("2079-06-06 23:59:00", bytes([0x3A]), u16(days(2079, 6, 6, (1900, 1, 1))) + u16(23 * 60 + 59))
add("1753-01-01 00:00:00.003", bytes([0x3D]), i32(days(1753, 1, 1, (1900, 1, 1))) + u32(1))
for size, value in ((1, 200), (2, 12345), (4, -7), (8, -2 ** 63)):
    add(str(value), bytes([0x26, size]), byte(value.to_bytes(size, "little", signed=value < 0)))
add("NULL", bytes([0x26, 4]), u8(0))
add("0", bytes([0x68, 1]), byte(u8(0)))
add("-2.5", bytes([0x6D, 4]), byte(struct.pack("<f", -2.5)))
add("0.3333333333333333", bytes([0x6D, 8]), byte(struct.pack("<d", 1 / 3)))
add("0.0001", bytes([0x6E, 4]), byte(i32(1)))
add("922337203685477.5807", bytes([0x6E, 8]), byte(money(2 ** 63 - 1)))
add("1900-01-01 00:00:00", bytes([0x6F, 4]), byte(u16(0) + u16(0)))
add("9999-12-31 23:59:59.997", bytes([0x6F, 8]), byte(i32(days(9999, 12, 31, (1900, 1, 1))) + u32(300 * 86400 - 1)))
add(str(guid).upper(), bytes([0x24, 16]), byte(guid.bytes_le))
for kind in (0x37, 0x3F, 0x6A, 0x6C):
    for text, precision, size in (("-1.25", 9, 4), ("123456789012345.6789", 19, 8), ("-0.0000000001", 28, 12), ("99999999999999999999999999999999999999", 38, 16)):
        value, scale = decimal(text, precision, size)
        add(text, bytes([kind, size + 1, precision, scale]), value)
add("0001-01-01", bytes([0x28]), byte(date(1, 1, 1)))
add("9999-12-31", bytes([0x28]), byte(date(9999, 12, 31)))
for scale in range(8):
    fraction = int("1234567"[:scale] or "0")
    dot = "." + "1234567"[:scale] if scale else ""
    add("23:59:58" + dot, bytes([0x29, scale]), byte(time(23, 59, 58, fraction, scale)))
    add("2024-02-29 12:34:56" + dot, bytes([0x2A, scale]), byte(time(12, 34, 56, fraction, scale) + date(2024, 2, 29)))
    # 01:00 in a zone 3:30 east is 21:30 of the day before in UTC, which is what the wire has.
    add(f"2024-03-01 01:00:00{dot} +03:30", bytes([0x2B, scale]), byte(time(21, 30, 0, fraction, scale) + date(2024, 2, 29) + i16(210)))
add("ab ", bytes([0x2F, 3]), byte(b"ab "))
add("abc", bytes([0x27, 10]), byte(b"abc"))
add("0x0102", bytes([0x2D, 2]), byte(b"\1\2"))
add("0xFF", bytes([0x25, 10]), byte(b"\xff"))
add("0x", bytes([0xA5]) + u16(10), short(b""))
add("0xDEADBEEF", bytes([0xA5]) + u16(0xFFFF), plp(b"\xde\xad\xbe\xef", 3))
add("0x00000000000007D1", bytes([0xAD]) + u16(8), short((2001).to_bytes(8, "big")))
for text, codec, collation in (("naïve €", "cp1252", LATIN), ("Привет", "cp1251", RUSSIAN), ("漢字ｱ", "cp932", JAPANESE), ("汉字", "gbk", CHINESE),
                               ("é½", "cp437", CP437), ("Grüße 漢 😀", "utf-8", UTF8)):
    add(text, bytes([0xA7]) + u16(40) + collation, short(text.encode(codec)))
    add(text, bytes([0xA7]) + u16(0xFFFF) + collation, plp(text.encode(codec), 2))
add("x   ", bytes([0xAF]) + u16(4) + LATIN, short(b"x   "))
add("NULL", bytes([0xA7]) + u16(40) + LATIN, u16(0xFFFF))
add("Grüße 漢 😀", bytes([0xE7]) + u16(40) + LATIN, short(utf16("Grüße 漢 😀")))
add("Grüße 漢 😀", bytes([0xE7]) + u16(0xFFFF) + LATIN, plp(utf16("Grüße 漢 😀"), 3))
add("n ", bytes([0xEF]) + u16(4) + LATIN, short(utf16("n ")))
table = u8(2) + u16(3) + utf16("dbo") + u16(1) + utf16("t")
add("Текст", bytes([0x23]) + u32(0x7FFFFFFF) + RUSSIAN, textpointer("Текст".encode("cp1251")), table)
add("ntext", bytes([0x63]) + u32(0x7FFFFFFE) + LATIN, textpointer(utf16("ntext")), table)
add("0x010203", bytes([0x22]) + u32(0x7FFFFFFF), textpointer(b"\1\2\3"), table)
add("<a>é</a>", bytes([0xF1, 0]), plp(b"\xff\xfe" + utf16("<a>é</a>")))
add("<b/>", bytes([0xF1, 1]) + names("db", "dbo") + u16(4) + utf16("coll"), plp(utf16("<b/>")))
add('{"a":"é"}', bytes([0xF4]), plp('{"a":"é"}'.encode()))
add("[1.0,-2.5]", bytes([0xF5]) + u16(16) + u8(0), short(bytes([0xA9, 1]) + u16(2) + bytes(4) + struct.pack("<2f", 1, -2.5)))
add("[0.5,65504.0]", bytes([0xF5]) + u16(12) + u8(1), short(bytes([0xA9, 1]) + u16(2) + bytes([1, 0, 0, 0]) + struct.pack("<2e", 0.5, 65504)))
add("/1/-2.18/", udt("hierarchyid"), plp(bytes.fromhex("59FB0540")))
add("POINT (5 10)", udt("geometry"), plp(u32(0) + bytes([1, 0x0C]) + struct.pack("<2d", 5, 10)))
add("POINT (10 5)", udt("geography"), plp(u32(4326) + bytes([1, 0x0C]) + struct.pack("<2d", 5, 10)))
add("0x0102", udt("Temperature"), plp(b"\1\2"))
VARIANT = bytes([0x62]) + u32(8009)


def variant(text, base, properties, data):
    content = bytes([base, len(properties)]) + properties + data
    add(text, VARIANT, u32(len(content)) + content)


variant("42", 0x38, b"", i32(42))
variant("variant", 0xE7, LATIN + u16(14), utf16("variant"))
variant("Привет", 0xA7, RUSSIAN + u16(20), "Привет".encode("cp1251"))
variant("-1.25", 0x6C, bytes([9, 2]), b"\0" + (125).to_bytes(4, "little"))
variant("12:34:56.7", 0x29, bytes([1]), time(12, 34, 56, 7, 1))
variant("0x0102", 0xA5, u16(10), b"\1\2")
add("NULL", VARIANT, u32(0))

out = ["# source: hand-made from MS-TDS 2.2.5.4 and 2.2.5.5 with Python's struct and codecs: Tools/generate-type-golden.py",
       "# COLMETADATA: every column's UserType, Flags (nullable), TYPE_INFO and empty name", "81 " + u16(len(columns)).hex(" ")]
for text, info, value, tablename in columns:
    out.append("00 00 00 00 01 00 " + (info + tablename).hex(" ") + " 00")
out += ["# ROW; before each value the text that it stands for", "d1"]
for text, info, value, tablename in columns:
    out += ["# = " + text, value.hex(" ")]
out += ["# DONE with COUNT", "fd 10 00 c1 00 01 00 00 00 00 00 00 00"]
pathlib.Path("Fixtures/golden/hand-types.hex").write_text("\n".join(out) + "\n")
print(len(columns), "columns")
