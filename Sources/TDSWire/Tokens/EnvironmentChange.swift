public import NIOCore

/// ENVCHANGE (MS-TDS 2.2.7.9): something about the session's environment is different from now on.
///
/// ```
/// +------+--------+------+----------+----------+
/// | 0xE3 | Length | Type | NewValue | OldValue |   the values' form depends on Type
/// | BYTE | USHORT | BYTE |          |          |
/// +------+--------+------+----------+----------+
/// ```
public enum EnvironmentChange: Hashable, Sendable {
    /// Type 1. The session is in another database.
    case database(new: String, old: String)
    /// Type 2. The language of messages.
    case language(new: String, old: String)
    /// Type 3 (TDS 7.0). The character set.
    case characterSet(new: String, old: String)
    /// Type 4. The packet size in bytes, to be used from the next packet on.
    case packetSize(new: Int, old: Int)
    /// Type 5 (TDS 7.0). The Unicode sorting's locale.
    case unicodeSortingLocale(new: String, old: String)
    /// Type 6 (TDS 7.0). The Unicode sorting's comparison flags.
    case unicodeComparisonFlags(new: String, old: String)
    /// Type 7. The database's collation; nil where there is none.
    case collation(new: Collation?, old: Collation?)
    /// Type 8. A transaction began; its descriptor goes into every later request's ALL_HEADERS.
    case beginTransaction(descriptor: UInt64)
    /// Type 9. The transaction was committed.
    case commitTransaction(descriptor: UInt64)
    /// Type 10. The transaction was rolled back, by whoever.
    case rollbackTransaction(descriptor: UInt64)
    /// Type 11. The session joined a distributed transaction; its descriptor goes into every later request's ALL_HEADERS.
    case enlistDTCTransaction(descriptor: UInt64)
    /// Type 12. A local transaction was defected.
    case defectTransaction(descriptor: UInt64)
    /// Type 13. The mirroring partner of the database.
    case databaseMirroringPartner(String)
    /// Type 15. The transaction became a distributed one; the cookie is the DTC's.
    case promoteTransaction(cookie: ByteBuffer)
    /// Type 16. The transaction manager's address.
    case transactionManagerAddress(ByteBuffer)
    /// Type 17. The transaction ended in some other way.
    case transactionEnded(descriptor: UInt64)
    /// Type 18. The server acknowledges a reset of the connection.
    case resetConnectionAcknowledged
    /// Type 19. The name of a user instance that was started for the login.
    case userInstanceStarted(String)
    /// Type 20. The client shall connect elsewhere and log in again (Azure SQL gateway, read-only routing).
    case routing(Routing)
    /// Type 21. As ``routing(_:)``, with the database to ask for.
    case enhancedRouting(Routing)

    /// A server to go to instead.
    public struct Routing: Hashable, Sendable {
        /// 0 is TCP, the only one there is.
        public var transport: UInt8
        public var port: UInt16
        public var server: String
        /// In enhanced routing only.
        public var database: String?

        public init(transport: UInt8 = 0, port: UInt16, server: String, database: String? = nil) {
            self.transport = transport
            self.port = port
            self.server = server
            self.database = database
        }
    }

    /// The Type field.
    public var type: UInt8 {
        switch self {
        case .database: 1
        case .language: 2
        case .characterSet: 3
        case .packetSize: 4
        case .unicodeSortingLocale: 5
        case .unicodeComparisonFlags: 6
        case .collation: 7
        case .beginTransaction: 8
        case .commitTransaction: 9
        case .rollbackTransaction: 10
        case .enlistDTCTransaction: 11
        case .defectTransaction: 12
        case .databaseMirroringPartner: 13
        case .promoteTransaction: 15
        case .transactionManagerAddress: 16
        case .transactionEnded: 17
        case .resetConnectionAcknowledged: 18
        case .userInstanceStarted: 19
        case .routing: 20
        case .enhancedRouting: 21
        }
    }
}

extension ByteBuffer {
    /// Reads an ENVCHANGE's body, after token byte and length.
    mutating func readEnvironmentChange() throws(WireError) -> EnvironmentChange {
        let type = try readLE("ENVCHANGE Type", as: UInt8.self)
        switch type {
        case 1: return .database(new: try readBVarchar("ENVCHANGE database"), old: try readBVarchar("ENVCHANGE database"))
        case 2: return .language(new: try readBVarchar("ENVCHANGE language"), old: try readBVarchar("ENVCHANGE language"))
        case 3: return .characterSet(new: try readBVarchar("ENVCHANGE character set"), old: try readBVarchar("ENVCHANGE character set"))
        case 4:
            let new = try readBVarchar("ENVCHANGE packet size")
            let old = try readBVarchar("ENVCHANGE packet size")
            guard let newSize = Int(new), (512...32767).contains(newSize) else { throw WireError(.malformed, "ENVCHANGE packet size") }
            return .packetSize(new: newSize, old: Int(old) ?? 0)
        case 5: return .unicodeSortingLocale(new: try readBVarchar("ENVCHANGE locale"), old: try readBVarchar("ENVCHANGE locale"))
        case 6: return .unicodeComparisonFlags(new: try readBVarchar("ENVCHANGE flags"), old: try readBVarchar("ENVCHANGE flags"))
        case 7: return .collation(new: try readOptionalCollation(), old: try readOptionalCollation())
        case 8, 11:
            let new = try readDescriptor()
            let old = try readDescriptor()
            // MS-TDS 2.2.7.9's table has type 11's descriptor as the old value, its text as the new one, as servers send it.
            return type == 8 ? .beginTransaction(descriptor: new) : .enlistDTCTransaction(descriptor: new != 0 ? new : old)
        case 9, 10, 12, 17:
            let new = try readDescriptor()
            let old = try readDescriptor()
            // The descriptor that ends is the old value; some servers send it as the new one.
            let descriptor = old != 0 ? old : new
            return switch type {
            case 9: .commitTransaction(descriptor: descriptor)
            case 10: .rollbackTransaction(descriptor: descriptor)
            case 12: .defectTransaction(descriptor: descriptor)
            default: .transactionEnded(descriptor: descriptor)
            }
        case 13: return .databaseMirroringPartner(try readBVarchar("ENVCHANGE mirroring partner"))
        case 15: return try readPromotedTransaction()
        case 16:
            let length = Int(try readLE("ENVCHANGE transaction manager", as: UInt8.self))
            return .transactionManagerAddress(try readWireSlice(length, "ENVCHANGE transaction manager"))
        case 18: return .resetConnectionAcknowledged
        case 19: return .userInstanceStarted(try readBVarchar("ENVCHANGE user instance"))
        case 20, 21:
            let length = Int(try readLE("ENVCHANGE routing", as: UInt16.self))
            var value = try readWireSlice(length, "ENVCHANGE routing")
            let transport: UInt8 = try value.readLE("ENVCHANGE routing protocol")
            let port: UInt16 = try value.readLE("ENVCHANGE routing port")
            let server = try value.readUSVarchar("ENVCHANGE routing server")
            guard type == 21 else { return .routing(.init(transport: transport, port: port, server: server)) }
            let database = try value.readUSVarchar("ENVCHANGE routing database")
            return .enhancedRouting(.init(transport: transport, port: port, server: server, database: database))
        default: throw WireError(.malformed, "ENVCHANGE Type", "\(type)")
        }
    }

    /// Reads what is behind the type of type 15: within the token's length, or behind it.
    mutating func readPromotedTransaction() throws(WireError) -> EnvironmentChange {
        let length = try readLE("ENVCHANGE promoted transaction", as: UInt32.self)
        guard length <= TokenStreamDecoder.longTokenLimit else { throw WireError(.tooLarge, "ENVCHANGE promoted transaction") }
        let cookie = try readWireSlice(Int(length), "ENVCHANGE promoted transaction")
        _ = try readLE("ENVCHANGE promoted transaction", as: UInt8.self)
        return .promoteTransaction(cookie: cookie)
    }

    private mutating func readOptionalCollation() throws(WireError) -> Collation? {
        let length = try readLE("ENVCHANGE collation", as: UInt8.self)
        switch length {
        case 0: return nil
        case 5: return try readCollation("ENVCHANGE collation")
        default: throw WireError(.malformed, "ENVCHANGE collation", "\(length) bytes")
        }
    }

    private mutating func readDescriptor() throws(WireError) -> UInt64 {
        let length = try readLE("ENVCHANGE transaction", as: UInt8.self)
        switch length {
        case 0: return 0
        case 8: return try readLE("ENVCHANGE transaction")
        default: throw WireError(.malformed, "ENVCHANGE transaction", "\(length) bytes")
        }
    }

    private mutating func writeDescriptor(_ descriptor: UInt64?) {
        guard let descriptor else { return writeLE(UInt8(0)) }
        writeLE(UInt8(8))
        writeLE(descriptor)
    }

    private mutating func writeOptionalCollation(_ collation: Collation?) {
        writeLE(UInt8(collation == nil ? 0 : 5))
        if let collation { writeCollation(collation) }
    }

    /// Writes an ENVCHANGE token. Throws ``WireError/Code/valueOutOfRange`` if a name is too long.
    public mutating func writeEnvironmentChange(_ change: EnvironmentChange) throws(WireError) {
        writeLE(TokenType.envChange.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "ENVCHANGE Length") { buffer throws(WireError) in
            buffer.writeLE(change.type)
            switch change {
            case .database(let new, let old), .language(let new, let old), .characterSet(let new, let old),
                .unicodeSortingLocale(let new, let old), .unicodeComparisonFlags(let new, let old):
                try buffer.writeBVarchar(new, "ENVCHANGE NewValue")
                try buffer.writeBVarchar(old, "ENVCHANGE OldValue")
            case .packetSize(let new, let old):
                try buffer.writeBVarchar(String(new), "ENVCHANGE NewValue")
                try buffer.writeBVarchar(String(old), "ENVCHANGE OldValue")
            case .collation(let new, let old):
                buffer.writeOptionalCollation(new)
                buffer.writeOptionalCollation(old)
            case .beginTransaction(let descriptor), .enlistDTCTransaction(let descriptor):
                buffer.writeDescriptor(descriptor)
                buffer.writeDescriptor(nil)
            case .commitTransaction(let descriptor), .rollbackTransaction(let descriptor), .defectTransaction(let descriptor),
                .transactionEnded(let descriptor):
                buffer.writeDescriptor(nil)
                buffer.writeDescriptor(descriptor)
            case .resetConnectionAcknowledged:
                buffer.writeLE(UInt16(0))
            case .databaseMirroringPartner(let name), .userInstanceStarted(let name):
                try buffer.writeBVarchar(name, "ENVCHANGE NewValue")
                buffer.writeLE(UInt8(0))
            // Behind the token.
            case .promoteTransaction: break
            case .transactionManagerAddress(let address):
                guard let length = UInt8(exactly: address.readableBytes) else { throw WireError(.valueOutOfRange, "ENVCHANGE transaction manager") }
                buffer.writeLE(length)
                buffer.writeImmutableBuffer(address)
                buffer.writeLE(UInt8(0))
            case .routing(let routing), .enhancedRouting(let routing):
                try buffer.writeLengthPrefixed(as: UInt16.self, "ENVCHANGE routing") { buffer throws(WireError) in
                    buffer.writeLE(routing.transport)
                    buffer.writeLE(routing.port)
                    try buffer.writeUSVarchar(routing.server, "ENVCHANGE routing server")
                    if case .enhancedRouting = change { try buffer.writeUSVarchar(routing.database ?? "", "ENVCHANGE routing database") }
                }
                buffer.writeLE(UInt16(0))
            }
        }
        guard case .promoteTransaction(let cookie) = change else { return }
        guard let length = UInt32(exactly: cookie.readableBytes) else { throw WireError(.valueOutOfRange, "ENVCHANGE promoted transaction") }
        writeLE(length)
        writeImmutableBuffer(cookie)
        writeLE(UInt8(0))
    }
}
