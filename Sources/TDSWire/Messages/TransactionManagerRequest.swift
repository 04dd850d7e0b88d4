public import NIOCore

/// Transaction manager request (MS-TDS 2.2.6.9), packets of type 0x0E.
///
/// ```
/// +-------------+-------------+  0 get DTC address, 1 propagate: US_VARBYTE
/// | ALL_HEADERS | RequestType |  5 begin: isolation level BYTE, name B_VARBYTE
/// |             | USHORT      |  6 promote: nothing
/// +-------------+-------------+  7 commit, 8 rollback: name B_VARBYTE, flags BYTE, [level BYTE, new name B_VARBYTE, with flag 1]
///                                9 save: name B_VARBYTE
/// ```
/// Names are UTF-16LE and their length byte counts bytes.
public struct TransactionManagerRequest: Hashable, Sendable {
    public var headers: AllHeaders?
    public var request: Request

    public init(_ request: Request, headers: AllHeaders? = AllHeaders()) {
        self.request = request
        self.headers = headers
    }

    public enum Request: Hashable, Sendable {
        /// 0: a result with the address of the server's DTC.
        case getDTCAddress(payload: ByteBuffer)
        /// 1: join a distributed transaction.
        case propagate(ByteBuffer)
        /// 5
        case begin(IsolationLevel, name: String)
        /// 6: make the transaction of the headers a distributed one.
        case promote
        /// 7: commit, and begin another transaction if `next` says so.
        case commit(name: String, next: Next?)
        /// 8: roll back, to the savepoint of that name if there is one; and begin another transaction if `next` says so.
        case rollback(name: String, next: Next?)
        /// 9: set a savepoint.
        case save(name: String)

        /// RequestType.
        public var type: UInt16 {
            switch self {
            case .getDTCAddress: 0
            case .propagate: 1
            case .begin: 5
            case .promote: 6
            case .commit: 7
            case .rollback: 8
            case .save: 9
            }
        }
    }

    /// The transaction that begins right after the end of another.
    public struct Next: Hashable, Sendable {
        public var isolationLevel: IsolationLevel
        public var name: String

        public init(isolationLevel: IsolationLevel, name: String = "") {
            self.isolationLevel = isolationLevel
            self.name = name
        }
    }

    public enum IsolationLevel: UInt8, Hashable, Sendable, CaseIterable {
        /// The session's.
        case current = 0
        case readUncommitted, readCommitted, repeatableRead, serializable, snapshot
    }
}

extension ByteBuffer {
    /// Reads a whole transaction manager request.
    ///
    /// - Throws: ``WireError/Code/truncated``, or ``WireError/Code/malformed`` for an unknown request type or isolation level.
    public mutating func readTransactionManagerRequest(version: TDSVersion = .v7_4) throws(WireError) -> TransactionManagerRequest {
        let headers = try readAllHeaders(version: version)
        let type: UInt16 = try readLE("TransMgrReq RequestType")
        let request: TransactionManagerRequest.Request
        switch type {
        case 0, 1:
            let length = Int(try readLE("TransMgrReq payload", as: UInt16.self))
            let payload = try readWireSlice(length, "TransMgrReq payload")
            request = type == 0 ? .getDTCAddress(payload: payload) : .propagate(payload)
        case 5: request = .begin(try readIsolationLevel(), name: try readByteCountedName())
        case 6: request = .promote
        case 7, 8:
            let name = try readByteCountedName()
            let flags = try readLE("TransMgrReq XACT_FLAGS", as: UInt8.self)
            var next: TransactionManagerRequest.Next?
            if flags & 1 != 0 { next = .init(isolationLevel: try readIsolationLevel(), name: try readByteCountedName()) }
            request = type == 7 ? .commit(name: name, next: next) : .rollback(name: name, next: next)
        case 9: request = .save(name: try readByteCountedName())
        default: throw WireError(.malformed, "TransMgrReq RequestType", "\(type)")
        }
        guard readableBytes == 0 else { throw WireError(.malformed, "TransMgrReq", "bytes behind the message") }
        return TransactionManagerRequest(request, headers: headers)
    }

    /// Writes a whole transaction manager request. Throws ``WireError/Code/valueOutOfRange`` if a name or payload is too long.
    public mutating func writeTransactionManagerRequest(_ message: TransactionManagerRequest) throws(WireError) {
        if let headers = message.headers { try writeAllHeaders(headers) }
        writeLE(message.request.type)
        switch message.request {
        case .getDTCAddress(let payload), .propagate(let payload):
            try writeLengthPrefixed(as: UInt16.self, "TransMgrReq payload") { buffer throws(WireError) in _ = buffer.writeImmutableBuffer(payload) }
        case .begin(let level, let name):
            writeLE(level.rawValue)
            try writeByteCountedName(name)
        case .promote: break
        case .commit(let name, let next), .rollback(let name, let next):
            try writeByteCountedName(name)
            writeLE(UInt8(next == nil ? 0 : 1))
            if let next {
                writeLE(next.isolationLevel.rawValue)
                try writeByteCountedName(next.name)
            }
        case .save(let name):
            guard !name.isEmpty else { throw WireError(.valueOutOfRange, "TransMgrReq XACT_SAVEPOINT_NAME", "empty") }
            try writeByteCountedName(name)
        }
    }

    private mutating func readIsolationLevel() throws(WireError) -> TransactionManagerRequest.IsolationLevel {
        let byte = try readLE("TransMgrReq ISOLATION_LEVEL", as: UInt8.self)
        guard let level = TransactionManagerRequest.IsolationLevel(rawValue: byte) else {
            throw WireError(.malformed, "TransMgrReq ISOLATION_LEVEL", "\(byte)")
        }
        return level
    }

    private mutating func readByteCountedName() throws(WireError) -> String {
        let length = Int(try readLE("TransMgrReq name", as: UInt8.self))
        guard length % 2 == 0 else { throw WireError(.malformed, "TransMgrReq name", "an odd number of bytes") }
        return try readUTF16(units: length / 2, "TransMgrReq name")
    }

    private mutating func writeByteCountedName(_ name: String) throws(WireError) {
        guard let length = UInt8(exactly: name.utf16.count * 2) else {
            throw WireError(.valueOutOfRange, "TransMgrReq name", "more than 127 UTF-16 code units")
        }
        writeLE(length)
        writeUTF16(name)
    }
}
