public import NIOCore

extension TDSValue {
    /// Reads a value's content (without length prefix; nil is NULL) of a column, parameter or return value of type `type`.
    ///
    /// - Throws: ``WireError/Code/malformed`` if the bytes aren't a value of the type.
    public init(wire content: ByteBuffer?, typeInfo type: TypeInfo) throws(WireError) {
        guard let content else {
            self = .null
            return
        }
        try self.init(wire: content.readableBytesSpan, typeInfo: type)
    }

    /// Reads a value's content from borrowed bytes, as a ``RowSink`` gets them.
    public init(wire bytes: RawSpan, typeInfo type: TypeInfo) throws(WireError) {
        if case .fixed(let size) = type.layout { try bytes.expect(byteCount: size, "\(type.dataType)") }
        switch type.dataType {
        case .null: self = .null
        case .int1, .int2, .int4, .int8, .intN: self = try Self.integer(bytes)
        case .bit, .bitN:
            try bytes.expect(byteCount: 1, "bit")
            self = .bool(try bytes.loadLE(at: 0, "bit", as: UInt8.self) != 0)
        case .flt4, .flt8, .fltN:
            switch bytes.byteCount {
            case 4: self = .float(Float(bitPattern: try bytes.loadLE(at: 0, "real")))
            case 8: self = .double(Double(bitPattern: try bytes.loadLE(at: 0, "float")))
            default: throw WireError(.malformed, "float", "\(bytes.byteCount) bytes")
            }
        case .money, .money4, .moneyN:
            let money = try TDSMoney(wire: bytes)
            self = bytes.byteCount == 4 ? .smallMoney(money) : .money(money)
        case .decimal, .numeric, .decimalN, .numericN: self = .decimal(try TDSDecimal(wire: bytes, type))
        case .dateTime, .dateTim4, .dateTimN:
            self = bytes.byteCount == 4 ? .smallDateTime(try TDSSmallDateTime(wire: bytes)) : .dateTime(try TDSDateTime(wire: bytes))
        case .dateN: self = .date(try TDSDate(wire: bytes))
        case .timeN: self = .time(try TDSTime(wire: bytes, scale: type.scale))
        case .dateTime2N: self = .dateTime2(try TDSDateTime2(wire: bytes, scale: type.scale))
        case .dateTimeOffsetN: self = .dateTimeOffset(try TDSDateTimeOffset(wire: bytes, scale: type.scale))
        case .guid: self = .guid(try TDSGUID(wire: bytes))
        case .char, .varChar, .bigChar, .bigVarChar, .text: self = .string(CodePage(for: type.collation).string(bytes))
        case .nChar, .nVarChar, .nText:
            guard bytes.byteCount % 2 == 0 else { throw WireError(.malformed, "\(type.dataType)", "an odd number of bytes") }
            self = .string(UTF16Text.string(bytes))
        case .binary, .varBinary, .bigBinary, .bigVarBin, .image: self = .bytes(ByteBuffer(copying: bytes))
        case .xml: self = .xml(try TDSXML(wire: bytes))
        case .json: self = .json(TDSJSON(wire: bytes))
        case .vector: self = .vector(try TDSVector(wire: bytes, type))
        case .ssVariant: self = .variant(try TDSVariant(wire: bytes))
        case .udt:
            switch type.udt?.typeName.lowercased() {
            case "hierarchyid": self = .hierarchyID(try TDSHierarchyID(wire: bytes))
            case "geometry": self = .spatial(TDSSpatial(.geometry, bytes: ByteBuffer(copying: bytes)))
            case "geography": self = .spatial(TDSSpatial(.geography, bytes: ByteBuffer(copying: bytes)))
            default:
                let udt = type.udt ?? TypeInfo.UDTInfo(database: "", schema: "", typeName: "")
                self = .udt(TDSUDT(type: udt, bytes: ByteBuffer(copying: bytes)))
            }
        case .tvp: throw WireError(.notRepresentable, "value", "a table")
        }
    }

    private static func integer(_ bytes: RawSpan) throws(WireError) -> TDSValue {
        switch bytes.byteCount {
        case 1: .uint8(try bytes.loadLE(at: 0, "tinyint"))
        case 2: .int16(try bytes.loadLE(at: 0, "smallint"))
        case 4: .int32(try bytes.loadLE(at: 0, "int"))
        case 8: .int64(try bytes.loadLE(at: 0, "bigint"))
        default: throw WireError(.malformed, "integer", "\(bytes.byteCount) bytes")
        }
    }
}

extension ByteBuffer {
    init(copying bytes: RawSpan) {
        self.init()
        reserveCapacity(bytes.byteCount)
        writeBytes(bytes)
    }
}
