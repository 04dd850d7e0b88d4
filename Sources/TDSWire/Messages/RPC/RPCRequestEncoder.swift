public import NIOCore

/// Writes an RPC message piece by piece, so that large parameters and tables need not be held: after every call the caller may take
/// the bytes out of the buffer and send them (``PacketEncoder``).
///
/// A call out of order throws ``WireError/Code/unexpectedMessage``.
public struct RPCRequestEncoder: Sendable {
    private enum State: Sendable {
        case start
        /// Headers are written; no request yet.
        case headers
        case request
        /// A PLP value; the bytes still expected, if announced.
        case large(UInt64?)
        case table([ColumnMetadata])
        case finished
    }

    public let version: TDSVersion
    private var state = State.start
    /// Written before the next request: nothing before the first.
    private var separator: UInt8?
    private var lastIsExecuted = true

    public init(version: TDSVersion = .v7_4) {
        self.version = version
    }

    /// Writes the headers; from TDS 7.2 on they have to be there.
    public mutating func begin(_ headers: AllHeaders?, into buffer: inout ByteBuffer) throws(WireError) {
        guard case .start = state else { throw outOfOrder("begin") }
        guard (headers != nil) == version.isYukonOrLater else {
            throw WireError(.valueOutOfRange, "ALL_HEADERS", "they belong to TDS 7.2 and later, and have to be there")
        }
        if let headers { try buffer.writeAllHeaders(headers) }
        state = .headers
    }

    /// Begins a call.
    public mutating func beginRequest(
        _ procedure: RPCProcedure, options: RPCRequest.Options = [], enclavePackage: ByteBuffer? = nil, into buffer: inout ByteBuffer
    ) throws(WireError) {
        switch state {
        case .headers, .request: break
        default: throw outOfOrder("a call")
        }
        if let separator { buffer.writeLE(separator) }
        separator = version.isYukonOrLater ? 0xFF : 0x80
        switch procedure {
        case .name(let name):
            // MS-TDS: at most 1046 bytes; 0xFFFF would be the sign of a number.
            guard name.utf16.count <= 523 else { throw WireError(.valueOutOfRange, "RPCRequest ProcName", "more than 523 UTF-16 code units") }
            try buffer.writeUSVarchar(name, "RPCRequest ProcName")
        case .id(let id):
            buffer.writeLE(UInt16(0xFFFF))
            buffer.writeLE(id.rawValue)
        }
        buffer.writeLE(options.rawValue)
        if let enclavePackage {
            try buffer.writeLengthPrefixed(as: UInt16.self, "RPCRequest EnclavePackage") { buffer throws(WireError) in
                _ = buffer.writeImmutableBuffer(enclavePackage)
            }
        }
        state = .request
    }

    /// Writes a whole call.
    public mutating func write(_ request: RPCRequest, into buffer: inout ByteBuffer) throws(WireError) {
        try beginRequest(request.procedure, options: request.options, enclavePackage: request.enclavePackage, into: &buffer)
        for parameter in request.parameters { try self.parameter(parameter, into: &buffer) }
        if !request.isExecuted { try skipExecution() }
    }

    /// The call in progress is not to be executed: it will be followed by NoExecFlag (TDS 7.2 and later).
    public mutating func skipExecution() throws(WireError) {
        guard case .request = state, version.isYukonOrLater else { throw outOfOrder("NoExecFlag") }
        separator = 0xFE
    }

    /// Writes a whole parameter.
    public mutating func parameter(_ parameter: RPCParameter, into buffer: inout ByteBuffer) throws(WireError) {
        switch parameter.value {
        case .scalar(let type, let content):
            try head(parameter.name, parameter.status, into: &buffer)
            try buffer.writeTypeInfo(type, .parameter, version: version)
            try buffer.writeParameterValue(content, type)
            try cipherInfo(parameter.cipherInfo, parameter.status, into: &buffer)
        case .table(let table):
            try beginTable(parameter.name, table.head, status: parameter.status, into: &buffer)
            for row in table.rows { try tableRow(row, into: &buffer) }
            try endTable(into: &buffer)
        }
    }

    /// Begins a parameter of a PLP type (`(max)`, xml, udt, json) whose value follows in chunks.
    ///
    /// - Parameter length: the value's length in bytes, where it is known; the chunks then have to add up to it.
    public mutating func beginLargeParameter(
        _ name: String, _ type: TypeInfo, status: RPCParameter.Status = [], length: UInt64? = nil, into buffer: inout ByteBuffer
    ) throws(WireError) {
        guard case .plp = type.layout, type.dataType != .tvp else {
            throw WireError(.valueOutOfRange, "RPCRequest parameter", "\(type.dataType) has no chunks")
        }
        guard !status.contains(.encrypted) else { throw WireError(.valueOutOfRange, "RPCRequest parameter", "encrypted values have no chunks") }
        try head(name, status, into: &buffer)
        try buffer.writeTypeInfo(type, .parameter, version: version)
        if let length {
            guard length < UInt64.max - 1 else { throw WireError(.valueOutOfRange, "PLP length") }
            buffer.writeLE(length)
        } else {
            buffer.writeLE(UInt64.max - 1)
        }
        state = .large(length)
    }

    /// Writes the next bytes of the large value.
    public mutating func largeChunk(_ chunk: ByteBuffer, into buffer: inout ByteBuffer) throws(WireError) {
        guard case .large(let remaining) = state else { throw outOfOrder("a chunk") }
        let length = UInt64(chunk.readableBytes)
        if let remaining {
            guard length <= remaining else { throw WireError(.valueOutOfRange, "PLP chunk", "more than the announced length") }
            state = .large(remaining - length)
        }
        guard length > 0 else { return }  // a chunk of length 0 would end the value
        guard let field = UInt32(exactly: length) else { throw WireError(.valueOutOfRange, "PLP chunk", "more than 4 GiB") }
        buffer.writeLE(field)
        buffer.writeImmutableBuffer(chunk)
    }

    public mutating func endLargeParameter(into buffer: inout ByteBuffer) throws(WireError) {
        guard case .large(let remaining) = state else { throw outOfOrder("a value's end") }
        guard remaining ?? 0 == 0 else { throw WireError(.valueOutOfRange, "PLP value", "less than the announced length") }
        buffer.writeLE(UInt32(0))
        state = .request
    }

    /// Begins a table-valued parameter. It can only be input: neither by reference, nor a default, nor encrypted.
    public mutating func beginTable(
        _ name: String, _ table: TableValuedParameter.Head, status: RPCParameter.Status = [], into buffer: inout ByteBuffer
    ) throws(WireError) {
        guard status.isDisjoint(with: [.byReference, .defaultValue, .encrypted]) else {
            throw WireError(.valueOutOfRange, "RPCRequest StatusFlags", "a table is input only")
        }
        try head(name, status, into: &buffer)
        try buffer.writeTableHead(table, version: version)
        state = .table(table.sentColumns)
    }

    /// Writes a row: a value, without its length, for each of ``TableValuedParameter/Head/sentColumns``.
    public mutating func tableRow(_ values: [ByteBuffer?], into buffer: inout ByteBuffer) throws(WireError) {
        guard case .table(let columns) = state else { throw outOfOrder("a row") }
        guard !columns.isEmpty || !values.isEmpty, values.count == columns.count else { throw WireError(.valueOutOfRange, "TVP_ROW", "the number of values") }
        buffer.writeLE(TableValuedParameter.Tag.row)
        for (value, column) in zip(values, columns) { try buffer.writeWireValue(value, column.typeInfo) }
    }

    public mutating func endTable(into buffer: inout ByteBuffer) throws(WireError) {
        guard case .table = state else { throw outOfOrder("a table's end") }
        buffer.writeLE(TableValuedParameter.Tag.end)
        state = .request
    }

    /// Ends the message.
    public mutating func finish(into buffer: inout ByteBuffer) throws(WireError) {
        guard case .request = state else { throw outOfOrder("the end") }
        if separator == 0xFE { buffer.writeLE(UInt8(0xFE)) }
        state = .finished
    }

    private func head(_ name: String, _ status: RPCParameter.Status, into buffer: inout ByteBuffer) throws(WireError) {
        guard case .request = state else { throw outOfOrder("a parameter") }
        // Longer names would look like separators; SQL Server's have at most 128 units.
        guard name.utf16.count <= (version.isYukonOrLater ? 128 : 127) else { throw WireError(.valueOutOfRange, "RPCRequest ParamName") }
        try buffer.writeBVarchar(name, "RPCRequest ParamName")
        buffer.writeLE(status.rawValue)
    }

    private func cipherInfo(_ info: ParameterCipherInfo?, _ status: RPCParameter.Status, into buffer: inout ByteBuffer) throws(WireError) {
        guard (info != nil) == status.contains(.encrypted) else { throw WireError(.valueOutOfRange, "ParamCipherInfo", "it belongs to fEncrypted") }
        if let info { try buffer.writeParameterCipherInfo(info, version: version) }
    }

    private func outOfOrder(_ what: String) -> WireError { WireError(.unexpectedMessage, "RPCRequest", "\(what), out of order") }
}

extension ByteBuffer {
    /// Writes a value as it stands in an RPC: as in a row, but text, ntext and image with a LONG length only (-1 is NULL).
    mutating func writeParameterValue(_ content: ByteBuffer?, _ type: TypeInfo) throws(WireError) {
        guard case .textPointer = type.layout else { return try writeWireValue(content, type) }
        guard let content else { return writeLE(Int32(-1)) }
        guard let length = Int32(exactly: content.readableBytes) else { throw WireError(.valueOutOfRange, "value", "more than 2 GiB") }
        writeLE(length)
        writeImmutableBuffer(content)
    }
}
