import NIOCore
import TDSWire

/// The rows that every benchmark reads: eight columns, about 94 bytes a row, the same as shared/bench/replay_server.py sends.
struct BenchmarkRows {
    static let columns: [ColumnMetadata] = [
        ColumnMetadata("id", TypeInfo(.int8, maximumLength: 8), flags: []),
        ColumnMetadata("a", TypeInfo(.intN, maximumLength: 4)),
        ColumnMetadata("name", TypeInfo(.nVarChar, maximumLength: 100, collation: .sqlLatin1GeneralCP1CIAS)),
        ColumnMetadata("code", TypeInfo(.bigVarChar, maximumLength: 20, collation: .sqlLatin1GeneralCP1CIAS)),
        ColumnMetadata("amount", TypeInfo(.decimalN, maximumLength: 9, precision: 18, scale: 4)),
        ColumnMetadata("ts", TypeInfo(temporal: .dateTime2N, scale: 7)),
        ColumnMetadata("flag", TypeInfo(.bitN, maximumLength: 1)),
        ColumnMetadata("val", TypeInfo(.fltN, maximumLength: 8)),
    ]

    /// The texts, made once: they repeat.
    private let names: [ByteBuffer]
    private let codes: [ByteBuffer]

    init() {
        names = (0..<997).map { index -> ByteBuffer in
            var text = "Customer " + String(repeating: "0", count: 5 - String(index).count) + "\(index) Ünïcödé"
            text = String(text.prefix(12 + index % 14))
            var bytes = ByteBuffer()
            bytes.writeUTF16(text)
            return bytes
        }
        // 991 codes at five lengths: both are prime, so all pairs come.
        codes = (0..<991 * 5).map { ByteBuffer(string: String("CODE-\(1_000_000 + $0 % 991 * 31)".prefix(8 + $0 % 5))) }
    }

    /// Writes a ROW token.
    func write(row index: Int, into buffer: inout ByteBuffer) {
        buffer.writeLE(TokenType.row.rawValue)
        buffer.writeLE(Int64(index))
        if index % 16 == 0 {
            buffer.writeLE(UInt8(0))
        } else {
            buffer.writeLE(UInt8(4))
            buffer.writeLE(Int32(truncatingIfNeeded: (index &* 7919) & 0x7FFF_FFFF))
        }
        let name = names[index % names.count]
        buffer.writeLE(UInt16(name.readableBytes))
        buffer.writeImmutableBuffer(name)
        let code = codes[index % codes.count]
        buffer.writeLE(UInt16(code.readableBytes))
        buffer.writeImmutableBuffer(code)
        let amount = UInt64(index) &* 104_729 % 1_000_000_000_000
        buffer.writeLE(UInt8(9))
        buffer.writeLE(UInt8(index % 5 != 0 || amount == 0 ? 1 : 0))
        buffer.writeLE(amount)
        let time = UInt64(index * 13 % 86400) * 10_000_000 + UInt64(index % 10_000_000)
        buffer.writeLE(UInt8(8))
        buffer.writeLE(UInt32(truncatingIfNeeded: time))
        buffer.writeLE(UInt8(truncatingIfNeeded: time >> 32))
        let days = UInt32(738_000 + index % 1000)
        buffer.writeLE(UInt16(truncatingIfNeeded: days))
        buffer.writeLE(UInt8(truncatingIfNeeded: days >> 16))
        buffer.writeLE(UInt8(1))
        buffer.writeLE(UInt8(index & 1))
        buffer.writeLE(UInt8(8))
        buffer.writeLE((Double(index) * 0.25).bitPattern)
    }

    /// The token stream of a result: COLMETADATA, rows, DONE.
    static func tokenStream(rows: Int) throws -> ByteBuffer {
        let maker = BenchmarkRows()
        var buffer = ByteBuffer()
        buffer.reserveCapacity(rows * 100)
        try buffer.writeColumnMetadata(columns)
        for index in 0..<rows { maker.write(row: index, into: &buffer) }
        buffer.writeDone(Done(status: .count, currentCommand: 0xC1, rowCount: UInt64(rows)))
        return buffer
    }
}
