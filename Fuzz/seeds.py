"""Seeds for the fuzz targets: the golden files' bytes, each with the control bytes that its target wants.

Usage: seeds.py GOLDEN-DIRECTORY SEED-DIRECTORY
"""
import pathlib
import struct
import sys

golden, seeds = map(pathlib.Path, sys.argv[1:3])


def put(target, name, data):
    directory = seeds / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(data)


def pcap(packets):
    """The packets as segments of one connection, client to server."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    sequence = 1
    for packet in packets:
        tcp = struct.pack(">HHIIBBHHH", 50000, 1433, sequence, 1, 0x50, 0x18, 65535, 0, 0) + packet
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])) + tcp
        out += struct.pack("<IIII", 1, 2, len(ip), len(ip)) + ip
        sequence += len(packet)
    return out


client = []
for file in sorted(golden.glob("*.hex")):
    data = bytes.fromhex("".join(line for line in file.read_text().splitlines() if not line.startswith("#")))
    name = file.stem
    if not name.startswith("ms-tds"):
        # Bit 2: column encryption; bits 3 and 4: data classification 2.
        put("tokens", name, (b"\x04\x00" if "encryption" in name else b"\x08\x00") + data)
        if b"\x81" == data[:1]:
            put("bulk", name, b"\x00\x00" + data)
        continue
    kind, payload = data[0], data[8:]
    if kind == 0x04:
        put("tokens", name, b"\x00\x00" + payload)
    elif kind == 0x12:
        put("prelogin", name, payload)
    elif kind == 0x10:
        put("login7", name, payload)
    elif kind == 0x07:
        put("bulk", name, b"\x00\x00" + payload)
    else:
        put("rpc", name, b"\x00" + payload)
    if kind != 0x04:
        client.append(data)
        put("prelogin", name + "-packet", data)
        put("pcap", name, pcap([data]))
put("pcap", "all", pcap(client))
