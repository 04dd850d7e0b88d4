public import NIOCore

/// Where a decoded RPC message goes: a ``RowSink`` that gets parameters' values as values of column 0, and tables' rows as rows
/// (columns counted among ``TableValuedParameter/Head/sentColumns``). `columns(_:)` is not called.
public protocol RPCSink: RowSink, ~Copyable {
    /// The message's headers; nil before TDS 7.2.
    mutating func headers(_ headers: AllHeaders?) throws(WireError)
    mutating func requestBegins(_ procedure: RPCProcedure, options: RPCRequest.Options, enclavePackage: ByteBuffer?) throws(WireError)
    /// A scalar parameter begins; its value follows.
    mutating func parameterBegins(_ name: String, status: RPCParameter.Status, type: TypeInfo) throws(WireError)
    /// A table begins; its rows follow.
    mutating func tableBegins(_ name: String, status: RPCParameter.Status, _ table: TableValuedParameter.Head) throws(WireError)
    /// The parameter or table is complete.
    mutating func parameterEnds(cipherInfo: ParameterCipherInfo?) throws(WireError)
    /// The call is complete. It is not to be executed if `isExecuted` is false.
    mutating func requestEnds(isExecuted: Bool) throws(WireError)
}

/// Decodes an RPC message resumably: append the payloads of its packets as they come and call ``decode(into:)`` after each;
/// ``finish(into:)`` after the last. What stays buffered is at most the head of a parameter or a short value.
///
/// A thrown error is final.
public struct RPCRequestDecoder: Sendable {
    private enum State: Sendable {
        case headers
        case request
        /// At a parameter, a separator, or the end.
        case parameter
        case value(RowDecoder, encrypted: Bool)
        /// The LONG length of a text, ntext or image.
        case textLength(encrypted: Bool)
        case text(remaining: Int, encrypted: Bool)
        case cipherInfo
        case rows(RowDecoder, inRow: Bool)
    }

    /// A message without end of a parameter's head within this many bytes is refused: TVP metadata of 1024 columns fits well.
    private static let headLimit = 1 << 20

    public let version: TDSVersion
    private let hasEnclavePackages: Bool
    private var buffer = ByteBuffer()
    private var state = State.headers
    private var requests = 0

    /// - Parameter hasEnclavePackages: whether column encryption of version 2 or later was negotiated.
    public init(version: TDSVersion = .v7_4, hasEnclavePackages: Bool = false) {
        self.version = version
        self.hasEnclavePackages = hasEnclavePackages
    }

    /// Adds the payload of a packet.
    public mutating func append(_ payload: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = payload
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(payload)
        }
    }

    /// Decodes what is there.
    public mutating func decode<Sink: RPCSink & ~Copyable>(into sink: inout Sink) throws(WireError) {
        while try step(into: &sink) {}
    }

    /// Ends the message: throws ``WireError/Code/truncated`` if something in it has no end, or there is no call.
    public mutating func finish<Sink: RPCSink & ~Copyable>(into sink: inout Sink) throws(WireError) {
        switch state {
        case .parameter where buffer.readableBytes == 0: try sink.requestEnds(isExecuted: true)
        // A separator after the last call is to be ignored (MS-TDS 2.2.6.6).
        case .request where buffer.readableBytes == 0 && requests > 0: break
        default: throw WireError(.truncated, "RPCRequest")
        }
    }

    /// - Returns: whether there may be more to decode.
    private mutating func step<Sink: RPCSink & ~Copyable>(into sink: inout Sink) throws(WireError) -> Bool {
        switch state {
        case .headers:
            if version.isYukonOrLater {
                guard let headers = try attempt({ buffer throws(WireError) in try buffer.readAllHeaders() }) else { return false }
                try sink.headers(headers)
            } else {
                try sink.headers(nil)
            }
            state = .request
            return true
        case .request:
            let hasEnclavePackages = hasEnclavePackages
            let head = try attempt { buffer throws(WireError) in try buffer.readRequestHead(hasEnclavePackages: hasEnclavePackages) }
            guard let (procedure, options, package) = head else { return false }
            requests += 1
            try sink.requestBegins(procedure, options: options, enclavePackage: package)
            state = .parameter
            return true
        case .parameter: return try parameter(into: &sink)
        case .value(var decoder, let encrypted):
            var offset = 0
            let bytes = buffer
            let complete = try decoder.decodeColumns(bytes.readableBytesSpan, at: &offset, into: &sink)
            buffer.moveReaderIndex(forwardBy: offset)
            guard complete else {
                state = .value(decoder, encrypted: encrypted)
                return false
            }
            return try valueEnds(encrypted: encrypted, into: &sink)
        case .textLength(let encrypted):
            guard buffer.readableBytes >= 4 else { return false }
            let length: Int32 = try buffer.readLE("RPCRequest text length")
            if length == -1 {
                try sink.null(column: 0)
                return try valueEnds(encrypted: encrypted, into: &sink)
            }
            guard length >= 0 else { throw WireError(.malformed, "RPCRequest text length", "negative") }
            try sink.largeValueBegins(column: 0, length: UInt64(length))
            state = .text(remaining: Int(length), encrypted: encrypted)
            return true
        case .text(let remaining, let encrypted):
            let take = min(remaining, buffer.readableBytes)
            if take > 0, let chunk = buffer.readSlice(length: take) { try sink.largeValueChunk(chunk.readableBytesSpan, column: 0) }
            guard take == remaining else {
                state = .text(remaining: remaining - take, encrypted: encrypted)
                return false
            }
            try sink.largeValueEnds(column: 0)
            return try valueEnds(encrypted: encrypted, into: &sink)
        case .cipherInfo:
            let version = version
            guard let info = try attempt({ buffer throws(WireError) in try buffer.readParameterCipherInfo(version: version) }) else { return false }
            try sink.parameterEnds(cipherInfo: info)
            state = .parameter
            return true
        case .rows(let decoder, let inRow): return try rows(decoder, inRow: inRow, into: &sink)
        }
    }

    private mutating func parameter<Sink: RPCSink & ~Copyable>(into sink: inout Sink) throws(WireError) -> Bool {
        guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return false }
        let isSeparator = version.isYukonOrLater ? first >= 0xFE : first == 0x80
        if isSeparator {
            buffer.moveReaderIndex(forwardBy: 1)
            try sink.requestEnds(isExecuted: first != 0xFE)
            state = .request
            return true
        }
        let version = version
        let head = try attempt { buffer throws(WireError) in try buffer.readParameterHead(version: version) }
        guard let (name, status, type) = head else { return false }
        switch type {
        case .scalar(let type):
            try sink.parameterBegins(name, status: status, type: type)
            let encrypted = status.contains(.encrypted)
            if case .textPointer = type.layout {
                state = .textLength(encrypted: encrypted)
            } else {
                state = .value(RowDecoder(columns: [ColumnMetadata("", type)]), encrypted: encrypted)
            }
        case .table(let table):
            try sink.tableBegins(name, status: status, table)
            state = .rows(RowDecoder(columns: table.sentColumns), inRow: false)
        }
        return true
    }

    private mutating func rows<Sink: RPCSink & ~Copyable>(_ rowDecoder: RowDecoder, inRow: Bool, into sink: inout Sink) throws(WireError) -> Bool {
        var rowDecoder = rowDecoder
        var inRow = inRow
        while true {
            if !inRow {
                guard let tag = buffer.readInteger(as: UInt8.self) else { break }
                if tag == TableValuedParameter.Tag.end {
                    try sink.parameterEnds(cipherInfo: nil)
                    state = .parameter
                    return true
                }
                guard tag == TableValuedParameter.Tag.row else { throw WireError(.unknownToken, "TVP_ROW", "byte \(tag)") }
                inRow = true
                try sink.rowBegins()
            }
            var offset = 0
            let bytes = buffer
            let complete = try rowDecoder.decodeColumns(bytes.readableBytesSpan, at: &offset, into: &sink)
            buffer.moveReaderIndex(forwardBy: offset)
            guard complete else { break }
            rowDecoder.column = 0
            inRow = false
            try sink.rowEnds()
        }
        state = .rows(rowDecoder, inRow: inRow)
        return false
    }

    private mutating func valueEnds<Sink: RPCSink & ~Copyable>(encrypted: Bool, into sink: inout Sink) throws(WireError) -> Bool {
        if encrypted {
            state = .cipherInfo
        } else {
            try sink.parameterEnds(cipherInfo: nil)
            state = .parameter
        }
        return true
    }

    /// Reads something that has no length of its own; nil, with nothing consumed, while it isn't whole.
    private mutating func attempt<R>(_ read: (inout ByteBuffer) throws(WireError) -> R) throws(WireError) -> R? {
        var attempt = buffer
        do throws(WireError) {
            let result = try read(&attempt)
            buffer = attempt
            return result
        } catch where error.code == .truncated {
            guard buffer.readableBytes <= Self.headLimit else { throw WireError(.tooLarge, error.element) }
            return nil
        }
    }
}

/// What an RPC parameter declares before its value.
private enum ParameterType {
    case scalar(TypeInfo)
    case table(TableValuedParameter.Head)
}

extension ByteBuffer {
    fileprivate mutating func readRequestHead(hasEnclavePackages: Bool) throws(WireError) -> (RPCProcedure, RPCRequest.Options, ByteBuffer?) {
        let length: UInt16 = try readLE("RPCRequest NameLenProcID")
        let procedure: RPCProcedure
        if length == 0xFFFF {
            procedure = .id(WellKnownProcedure(rawValue: try readLE("RPCRequest ProcID")))
        } else {
            guard length <= 523 else { throw WireError(.malformed, "RPCRequest ProcName", "\(length) UTF-16 code units") }
            procedure = .name(try readUTF16(units: Int(length), "RPCRequest ProcName"))
        }
        let options = RPCRequest.Options(rawValue: try readLE("RPCRequest OptionFlags"))
        // A USHORT length in practice, though the specification says L_VARBYTE.
        let package = hasEnclavePackages ? try readWireSlice(Int(try readLE("RPCRequest EnclavePackage", as: UInt16.self)), "RPCRequest EnclavePackage") : nil
        return (procedure, options, package)
    }

    fileprivate mutating func readParameterHead(version: TDSVersion) throws(WireError) -> (String, RPCParameter.Status, ParameterType) {
        let name = try readBVarchar("RPCRequest ParamName")
        let status = RPCParameter.Status(rawValue: try readLE("RPCRequest StatusFlags"))
        guard let type = getInteger(at: readerIndex, as: UInt8.self) else { throw WireError(.truncated, "RPCRequest TYPE_INFO") }
        if type == DataType.tvp.rawValue {
            guard version >= .v7_3_a else { throw WireError(.unknownType, "RPCRequest TYPE_INFO", "a table before TDS 7.3") }
            guard status.isDisjoint(with: [.byReference, .defaultValue, .encrypted]) else {
                throw WireError(.malformed, "RPCRequest StatusFlags", "a table is input only")
            }
            moveReaderIndex(forwardBy: 1)
            return (name, status, .table(try readTableHead(version: version)))
        }
        return (name, status, .scalar(try readTypeInfo(.parameter, version: version)))
    }
}

/// Collects a whole RPC message.
struct RPCCollector: RPCSink {
    var headers: AllHeaders?
    var requests: [RPCRequest] = []
    private var request: RPCRequest?
    private var parameter: RPCParameter?
    private var content: ByteBuffer?
    private var table: TableValuedParameter?
    private var row: [ByteBuffer?]?

    init() {}

    mutating func headers(_ headers: AllHeaders?) { self.headers = headers }
    mutating func requestBegins(_ procedure: RPCProcedure, options: RPCRequest.Options, enclavePackage: ByteBuffer?) {
        request = RPCRequest(procedure, options: options, enclavePackage: enclavePackage)
    }
    mutating func parameterBegins(_ name: String, status: RPCParameter.Status, type: TypeInfo) {
        parameter = RPCParameter(name, type, nil, status: status)
    }
    mutating func tableBegins(_ name: String, status: RPCParameter.Status, _ table: TableValuedParameter.Head) {
        self.table = TableValuedParameter(table)
        parameter = RPCParameter(name, .table(TableValuedParameter(table)), status: status)
    }
    mutating func parameterEnds(cipherInfo: ParameterCipherInfo?) {
        guard var parameter else { return }
        switch parameter.value {
        case .scalar(let type, _): parameter.value = .scalar(type, content)
        case .table: if let table { parameter.value = .table(table) }
        }
        parameter.cipherInfo = cipherInfo
        request?.parameters.append(parameter)
        (self.parameter, content, table) = (nil, nil, nil)
    }
    mutating func requestEnds(isExecuted: Bool) {
        guard var request else { return }
        request.isExecuted = isExecuted
        requests.append(request)
        self.request = nil
    }

    mutating func columns(_ columns: [ColumnMetadata]) {}
    mutating func rowBegins() { row = [] }
    mutating func null(column: Int) { put(nil) }
    mutating func value(_ bytes: RawSpan, column: Int) {
        var value = ByteBuffer()
        value.writeBytes(bytes)
        put(value)
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) { content = ByteBuffer() }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { content?.writeBytes(bytes) }
    mutating func largeValueEnds(column: Int) { put(content) }
    mutating func rowEnds() {
        if let row { table?.rows.append(row) }
        row = nil
    }

    private mutating func put(_ value: ByteBuffer?) {
        if row != nil {
            row?.append(value)
        } else {
            content = value
        }
    }
}
