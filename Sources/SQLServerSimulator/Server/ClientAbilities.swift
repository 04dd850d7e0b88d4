// What a client of an older version, or without a feature, gets in place of types that it can't read (MS-TDS 2.2.5.4 and 2.2.6.4, UTF8_SUPPORT).
import NIOCore
import TDSWire

/// What a session's client understands.
struct ClientAbilities: Equatable {
    var version: TDSVersion
    /// UTF8_SUPPORT was acknowledged.
    var readsUTF8 = false

    /// The column as this client gets it.
    func column(_ column: ResultColumn) -> ResultColumn {
        var sent = column
        sent.type = type(column.type)
        return sent
    }

    private func type(_ type: SQLType) -> SQLType {
        func text(_ length: Int) -> SQLType { .nvarchar(length) }
        switch type.kind {
        case .date where version < .v7_3_a: return text(10)
        case .time where version < .v7_3_a: return text(16)
        case .datetime2 where version < .v7_3_a: return text(27)
        case .datetimeoffset where version < .v7_3_a: return text(34)
        case .xml where !version.isYukonOrLater: return SQLType(.ntext, collation: .default)
        case .hierarchyid where !version.isYukonOrLater: return SQLType(.image)
        case .nvarchar where type.isMax && !version.isYukonOrLater: return SQLType(.ntext, collation: type.collation)
        case .varbinary where type.isMax && !version.isYukonOrLater: return SQLType(.image)
        case .varchar, .char, .text:
            if type.collation?.wire.isUTF8 == true, !readsUTF8 {
                if type.kind == .text || (type.isMax && !version.isYukonOrLater) { return SQLType(.ntext, collation: type.collation) }
                // A byte of UTF-8 is at most one UTF-16 unit.
                let kind: SQLType.Kind = type.kind == .char && type.length <= 4000 ? .nchar : .nvarchar
                return SQLType(kind, length: type.length > 4000 ? -1 : type.length, collation: type.collation)
            }
            return type.isMax && !version.isYukonOrLater ? SQLType(.text, collation: type.collation) : type
        default: return type
        }
    }
}

/// Writes a result's rows value by value, where they can't go out as the engine keeps them.
struct RowWriter {
    /// As the engine has them, and as the client gets them.
    let columns: [(from: ResultColumn, to: ResultColumn)]
    /// NBCROW came with TDS 7.3B.
    let usesNullBitmap: Bool
    private var bytes: [UInt8] = []

    init(from: [ResultColumn], to: [ResultColumn], usesNullBitmap: Bool) {
        columns = Array(zip(from, to)).map { (from: $0, to: $1) }
        self.usesNullBitmap = usesNullBitmap
    }

    /// Appends ROW, or NBCROW where its bitmap costs less than the NULLs.
    mutating func write(_ values: [SQLValue], to buffer: inout ByteBuffer) throws {
        bytes.removeAll(keepingCapacity: true)
        let nulls = values.count(where: \.isNull)
        let bitmap = (columns.count + 7) / 8
        if usesNullBitmap, nulls > bitmap {
            bytes.append(TokenType.nbcRow.rawValue)
            bytes.append(contentsOf: repeatElement(0, count: bitmap))
            for (index, value) in values.enumerated() {
                if value.isNull { bytes[1 + index / 8] |= 1 << UInt8(index % 8) } else { try append(value, index) }
            }
        } else {
            bytes.append(TokenType.row.rawValue)
            for (index, value) in values.enumerated() { try append(value, index) }
        }
        buffer.writeBytes(bytes)
    }

    private mutating func append(_ value: SQLValue, _ index: Int) throws {
        guard index < columns.count else { return }
        let (from, to) = columns[index]
        let sent = from.type == to.type || value.isNull ? value : try Conversion.convert(value, from: from.type, to: to.type, isExplicit: true)
        WireForm.encode(sent, to.type, nullable: to.isNullable, to: &bytes)
    }
}
