public import NIOCore

/// ALL_HEADERS (MS-TDS 2.2.5.3): what stands before a SQL batch, RPC or transaction manager request from TDS 7.2 on.
///
/// ```
/// +-------------+ then per header
/// | TotalLength | +--------------+------------+------+   1 query notifications: NotifyId and SSBDeployment, each USHORT bytes and
/// | DWORD       | | HeaderLength | HeaderType | data |     UTF-16; [NotifyTimeout ULONG, ms]
/// +-------------+ | DWORD        | USHORT     |      |   2 transaction descriptor: ULONGLONG, OutstandingRequestCount DWORD
///                 +--------------+------------+------+   3 trace activity: 16-byte GUID, sequence ULONG
/// ```
/// Both lengths count themselves.
public struct AllHeaders: Hashable, Sendable {
    /// The transaction that the request belongs to, as ENVCHANGE 8 said; 0 is none (autocommit).
    public var transactionDescriptor: UInt64
    /// How many requests are active on the connection; 1 without MARS.
    public var outstandingRequestCount: UInt32
    public var queryNotification: QueryNotification?
    public var traceActivity: TraceActivity?

    public init(
        transactionDescriptor: UInt64 = 0, outstandingRequestCount: UInt32 = 1, queryNotification: QueryNotification? = nil,
        traceActivity: TraceActivity? = nil
    ) {
        self.transactionDescriptor = transactionDescriptor
        self.outstandingRequestCount = outstandingRequestCount
        self.queryNotification = queryNotification
        self.traceActivity = traceActivity
    }

    /// A request to be told when the results change.
    public struct QueryNotification: Hashable, Sendable {
        public var id: String
        public var serviceBrokerDeployment: String
        /// Milliseconds.
        public var timeout: UInt32?

        public init(id: String, serviceBrokerDeployment: String, timeout: UInt32? = nil) {
            self.id = id
            self.serviceBrokerDeployment = serviceBrokerDeployment
            self.timeout = timeout
        }
    }

    /// An id of the client's, for the server's traces (TDS 7.4).
    public struct TraceActivity: Hashable, Sendable {
        /// 16 bytes.
        public var id: ByteBuffer
        public var sequence: UInt32

        public init(id: ByteBuffer, sequence: UInt32) {
            self.id = id
            self.sequence = sequence
        }
    }
}

extension ByteBuffer {
    /// Reads ALL_HEADERS of a message whose version has them.
    ///
    /// - Throws: ``WireError/Code/truncated``, or ``WireError/Code/malformed`` for a wrong length, an unknown or repeated header, or a
    ///   missing transaction descriptor.
    public mutating func readAllHeaders() throws(WireError) -> AllHeaders {
        let total = Int(try readLE("ALL_HEADERS TotalLength", as: UInt32.self))
        guard total >= 4 else { throw WireError(.malformed, "ALL_HEADERS TotalLength", "\(total)") }
        // Three headers with texts of at most 64 KiB each.
        guard total <= 1 << 19 else { throw WireError(.tooLarge, "ALL_HEADERS TotalLength") }
        var headers = try readWireSlice(total - 4, "ALL_HEADERS")
        var result = AllHeaders()
        var seen: Set<UInt16> = []
        do throws(WireError) {
            while headers.readableBytes > 0 {
                let length = Int(try headers.readLE("ALL_HEADERS HeaderLength", as: UInt32.self))
                guard length >= 6 else { throw WireError(.malformed, "ALL_HEADERS HeaderLength", "\(length)") }
                let type: UInt16 = try headers.readLE("ALL_HEADERS HeaderType")
                var data = try headers.readWireSlice(length - 6, "ALL_HEADERS HeaderData")
                guard seen.insert(type).inserted else { throw WireError(.malformed, "ALL_HEADERS HeaderType", "\(type) twice") }
                switch type {
                case 1:
                    result.queryNotification = .init(id: try data.readByteCountedUTF16(), serviceBrokerDeployment: try data.readByteCountedUTF16())
                    if data.readableBytes > 0 { result.queryNotification?.timeout = try data.readLE("ALL_HEADERS NotifyTimeout") }
                case 2:
                    result.transactionDescriptor = try data.readLE("ALL_HEADERS TransactionDescriptor")
                    result.outstandingRequestCount = try data.readLE("ALL_HEADERS OutstandingRequestCount")
                case 3:
                    result.traceActivity = .init(
                        id: try data.readWireSlice(16, "ALL_HEADERS ActivityId"), sequence: try data.readLE("ALL_HEADERS ActivitySequence"))
                default: throw WireError(.malformed, "ALL_HEADERS HeaderType", "\(type)")
                }
                guard data.readableBytes == 0 else { throw WireError(.malformed, "ALL_HEADERS HeaderLength", "header \(type) is too long") }
            }
        } catch where error.code == .truncated {
            throw WireError(.malformed, error.element, "longer than ALL_HEADERS")
        }
        guard seen.contains(2) else { throw WireError(.malformed, "ALL_HEADERS", "no transaction descriptor") }
        return result
    }

    /// Reads ALL_HEADERS if there are any: for tools that see a stream without its login and so don't know the version. Headers are
    /// taken to be there if their lengths and types fit together; a text or procedure name in UTF-16 never looks like that.
    public mutating func readAllHeadersIfPresent() throws(WireError) -> AllHeaders? {
        var attempt = self
        guard let headers = try? attempt.readAllHeaders() else { return nil }
        self = attempt
        return headers
    }

    /// Reads ALL_HEADERS if `version` has them.
    public mutating func readAllHeaders(version: TDSVersion) throws(WireError) -> AllHeaders? {
        version.isYukonOrLater ? try readAllHeaders() : nil
    }

    /// Writes ALL_HEADERS. Throws ``WireError/Code/valueOutOfRange`` if a text is too long or the activity's id has not 16 bytes.
    public mutating func writeAllHeaders(_ headers: AllHeaders) throws(WireError) {
        let start = writerIndex
        writeLE(UInt32(0))
        if let notification = headers.queryNotification {
            let start = writerIndex
            writeLE(UInt32(0))
            writeLE(UInt16(1))
            try writeByteCountedUTF16(notification.id)
            try writeByteCountedUTF16(notification.serviceBrokerDeployment)
            if let timeout = notification.timeout { writeLE(timeout) }
            setInteger(UInt32(truncatingIfNeeded: writerIndex - start), at: start, endianness: .little)
        }
        writeLE(UInt32(18))
        writeLE(UInt16(2))
        writeLE(headers.transactionDescriptor)
        writeLE(headers.outstandingRequestCount)
        if let activity = headers.traceActivity {
            guard activity.id.readableBytes == 16 else { throw WireError(.valueOutOfRange, "ALL_HEADERS ActivityId", "16 bytes") }
            writeLE(UInt32(26))
            writeLE(UInt16(3))
            writeImmutableBuffer(activity.id)
            writeLE(activity.sequence)
        }
        setInteger(UInt32(truncatingIfNeeded: writerIndex - start), at: start, endianness: .little)
    }

    private mutating func readByteCountedUTF16() throws(WireError) -> String {
        let length = Int(try readLE("ALL_HEADERS text", as: UInt16.self))
        guard length % 2 == 0 else { throw WireError(.malformed, "ALL_HEADERS text", "an odd number of bytes") }
        return try readUTF16(units: length / 2, "ALL_HEADERS text")
    }

    private mutating func writeByteCountedUTF16(_ text: String) throws(WireError) {
        guard let length = UInt16(exactly: text.utf16.count * 2) else { throw WireError(.valueOutOfRange, "ALL_HEADERS text") }
        writeLE(length)
        writeUTF16(text)
    }
}
