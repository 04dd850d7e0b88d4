// Tokens as a server writes them.
import NIOCore
import TDSWire

enum Tokens {
    static let int = TypeInfo(.intN, maximumLength: 4)
    static let text = TypeInfo(.nVarChar, maximumLength: 8000, collation: .sqlLatin1GeneralCP1CIAS)
    static let maxText = TypeInfo(.nVarChar, maximumLength: TypeInfo.unlimited, collation: .sqlLatin1GeneralCP1CIAS)
    static let maxBytes = TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited)

    /// A response without result.
    static func done(_ status: Done.Status = [], count: UInt64? = nil) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeDone(Done(status: count == nil ? status : status.union(.count), currentCommand: 0xC1, rowCount: count ?? 0))
        return buffer
    }

    static func columns(_ columns: [(String, TypeInfo)]) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try buffer.writeColumnMetadata(columns.map { ColumnMetadata($0.0, $0.1) })
        return buffer
    }

    static func row(_ values: [TDSValue], _ types: [TypeInfo]) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(TokenType.row.rawValue)
        for (value, type) in zip(values, types) { try buffer.writeWireValue(value.isNull ? nil : value.wireContent(for: type), type) }
        return buffer
    }

    static func nbcRow(_ values: [TDSValue], _ types: [TypeInfo]) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(TokenType.nbcRow.rawValue)
        var bitmap = [UInt8](repeating: 0, count: (values.count + 7) / 8)
        for (index, value) in values.enumerated() where value.isNull { bitmap[index / 8] |= 1 << UInt8(index % 8) }
        buffer.writeBytes(bitmap)
        for (value, type) in zip(values, types) where !value.isNull { try buffer.writeWireValue(value.wireContent(for: type), type) }
        return buffer
    }

    /// A value of unknown length in chunks.
    static func plpRow(chunks: [[UInt8]]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(TokenType.row.rawValue)
        buffer.writeInteger(UInt64.max - 1, endianness: .little)
        for chunk in chunks {
            buffer.writeInteger(UInt32(chunk.count), endianness: .little)
            buffer.writeBytes(chunk)
        }
        buffer.writeInteger(UInt32(0))
        return buffer
    }

    /// A result of one int column, its DONE included.
    static func ints(_ values: some Sequence<Int32>, name: String = "n", more: Bool = false) throws -> ByteBuffer {
        var buffer = try columns([(name, int)])
        var count: UInt64 = 0
        for value in values {
            buffer.writeImmutableBuffer(try row([.int32(value)], [int]))
            count += 1
        }
        buffer.writeDone(Done(status: more ? [.count, .more] : .count, currentCommand: 0xC1, rowCount: count))
        return buffer
    }

    static func message(_ message: ServerMessage) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try buffer.writeServerMessage(message)
        return buffer
    }

    static func change(_ change: EnvironmentChange) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        try buffer.writeEnvironmentChange(change)
        return buffer
    }
}

extension ServerMessage {
    static func error(_ number: Int32, _ text: String, severity: UInt8 = 16) -> ServerMessage {
        ServerMessage(number: number, state: 1, severity: severity, text: text, server: "test", line: 3)
    }
    static func info(_ number: Int32, _ text: String) -> ServerMessage {
        ServerMessage(number: number, state: 1, severity: 0, text: text, server: "test")
    }
}

extension ByteBuffer {
    static func + (left: ByteBuffer, right: ByteBuffer) -> ByteBuffer {
        var all = left
        all.writeImmutableBuffer(right)
        return all
    }

    /// The answer to a login.
    mutating func writeLogin(
        database: String = "master", packetSize: Int = 4096, version: TDSVersion = .v7_4, routing: EnvironmentChange.Routing? = nil
    ) throws {
        try writeEnvironmentChange(.database(new: database, old: "master"))
        try writeServerMessage(.info(5701, "Changed database context to '\(database)'."))
        try writeEnvironmentChange(.collation(new: .sqlLatin1GeneralCP1CIAS, old: nil))
        try writeEnvironmentChange(.language(new: "us_english", old: ""))
        try writeLoginAck(LoginAck(version: version, serverVersion: ServerVersion(major: 16, minor: 0, build: 1000)))
        if let routing { try writeEnvironmentChange(.routing(routing)) }
        try writeEnvironmentChange(.packetSize(new: packetSize, old: 4096))
        writeDone(Done())
    }

    /// The message as packets.
    func packets(type: PacketType = .tabularResult, size: Int = 4096) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writePackets(of: self, type: type, packetSize: size)
        return buffer
    }
}
