// Values in the wire's form (MS-TDS 2.2.5.5), without their length prefix: parameters in, output parameters out. TDSWire reads and writes.
import NIOCore
import TDSWire

extension SQLValue {
    /// A value from its bytes. Throws `WireError` where they can't be a value of the type.
    init(wire content: ByteBuffer?, _ info: TypeInfo) throws(WireError) {
        try self.init(TDSValue(wire: content, typeInfo: info))
    }

    /// Throws `WireError.unknownType` for values that the engine lacks (JSON, vectors).
    init(_ value: TDSValue) throws(WireError) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bit(value)
        case .uint8(let value): self = .int(Int64(value))
        case .int16(let value): self = .int(Int64(value))
        case .int32(let value): self = .int(Int64(value))
        case .int64(let value): self = .int(value)
        case .float(let value): self = .real(value)
        case .double(let value): self = .float(value)
        case .decimal(let value): self = .decimal(value.widest)
        case .money(let value), .smallMoney(let value): self = .money(value)
        case .string(let value): self = .string(value)
        case .xml(let value): self = .string(value.text)
        case .bytes(let value): self = .binary(Array(value.readableBytesView))
        case .hierarchyID(let value): self = .binary(Array(try value.wireContent(TypeInfo(.udt, maximumLength: TDSHierarchyID.maximumLength)).readableBytesView))
        case .spatial(let value): self = .binary(Array(value.bytes.readableBytesView))
        case .udt(let value): self = .binary(Array(value.bytes.readableBytesView))
        case .date(let value): self = .date(value)
        case .time(let value): self = .time(value.widest)
        case .dateTime(let value): self = .datetime(value)
        case .smallDateTime(let value): self = .smalldatetime(value)
        case .dateTime2(let value): self = .datetime2(value.widest)
        case .dateTimeOffset(let value): self = .datetimeoffset(value.widest)
        case .guid(let value): self = .uniqueidentifier(value)
        case .variant(let value): try self.init(value)
        case .json, .vector: throw WireError(.unknownType, "value", "JSON and vector parameters")
        }
    }

    init(_ variant: TDSVariant) throws(WireError) {
        guard let type = SQLType(variant.type) else { throw WireError(.unknownType, "sql_variant base type", "\(variant.type.dataType)") }
        self = .variant(type, try SQLValue(variant.value))
    }

    /// The value's bytes as a value of `type`; nil is NULL. Throws `WireError` for a value of another type.
    func wireContent(as type: SQLType) throws(WireError) -> ByteBuffer? {
        try wireValue(type).wireContent(for: type.typeInfo(isNullable: true, database: ""))
    }

    /// The value as TDSWire has it, with the scale of `type`.
    private func wireValue(_ type: SQLType) throws(WireError) -> TDSValue {
        switch self {
        case .null: .null
        case .int(let value): .int64(value)
        case .bit(let value): .bool(value)
        case .decimal(let value): .decimal(try value.rescaled(to: type.scale).value)
        case .money(let value): .money(value)
        case .float(let value): .double(value)
        case .real(let value): .float(value)
        case .string(let value): .string(value)
        case .binary(let value): .bytes(ByteBuffer(bytes: value))
        case .date(let value): .date(value)
        case .time(let value): .time(try value.rounded(scale: type.scale).value)
        case .datetime(let value): .dateTime(value)
        case .smalldatetime(let value): .smallDateTime(value)
        case .datetime2(let value): .dateTime2(try value.rounded(scale: type.scale).value)
        case .datetimeoffset(let value): .dateTimeOffset(try value.rounded(scale: type.scale).value)
        case .uniqueidentifier(let value): .guid(value)
        case .variant(let base, let value):
            .variant(try TDSVariant(value.wireValue(base), type: base.typeInfo(isNullable: false, database: "")))
        }
    }
}
