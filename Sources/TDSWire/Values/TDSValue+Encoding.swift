public import NIOCore

extension TDSValue {
    /// The value's content as `type` has it on the wire, without length prefix; nil is NULL.
    ///
    /// Conversions between kinds are made where nothing is lost: integers to wider and narrower ones that hold them, to bit, decimal,
    /// money, float and real; decimals without rounding. The one exception is text in a code page: a character that it lacks becomes `?`, as
    /// SQL Server does it; ``CodePage/encode(_:into:)`` says how many did.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if the type can't hold the value, ``WireError/Code/notRepresentable`` if the value would
    ///   have to be rounded, or is of a kind that the type doesn't take.
    public func wireContent(for type: TypeInfo) throws(WireError) -> ByteBuffer? {
        if case .null = self { return nil }
        var buffer = ByteBuffer()
        try write(to: &buffer, as: type)
        return buffer
    }

    private func mismatch(_ type: TypeInfo) -> WireError {
        WireError(.notRepresentable, "value", "\(kindName) as \(type.declaration)")
    }

    /// Writes the content of a value that isn't NULL. See ``wireContent(for:)``.
    func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) {
        switch type.dataType {
        case .null: throw mismatch(type)
        case .int1, .int2, .int4, .int8, .intN: try writeInteger(to: &buffer, type)
        case .bit, .bitN:
            if case .bool(let value) = self {
                buffer.writeLE(UInt8(value ? 1 : 0))
            } else {
                guard let value = integer, value == 0 || value == 1 else { throw mismatch(type) }
                buffer.writeLE(UInt8(value))
            }
        case .flt4, .flt8, .fltN:
            if type.maximumLength == 4 {
                buffer.writeLE(try real(type).bitPattern)
            } else {
                buffer.writeLE(try double(type).bitPattern)
            }
        case .money, .money4, .moneyN:
            switch self {
            case .money(let value), .smallMoney(let value): try value.write(to: &buffer, as: type)
            default:
                let rounded = try TDSMoney.rounding(exactDecimal(type))
                guard rounded.isExact else { throw mismatch(type) }
                try rounded.value.write(to: &buffer, as: type)
            }
        case .decimal, .numeric, .decimalN, .numericN: try exactDecimal(type).write(to: &buffer, as: type)
        case .dateTime, .dateTim4, .dateTimN: try writeDateTime(to: &buffer, type)
        case .dateN:
            guard case .date(let value) = self else { throw mismatch(type) }
            value.write(to: &buffer)
        case .timeN:
            guard case .time(let value) = self else { throw mismatch(type) }
            try value.write(to: &buffer, as: type)
        case .dateTime2N:
            guard let value = dateTime2 else { throw mismatch(type) }
            try value.write(to: &buffer, as: type)
        case .dateTimeOffsetN:
            guard case .dateTimeOffset(let value) = self else { throw mismatch(type) }
            try value.write(to: &buffer, as: type)
        case .guid:
            guard case .guid(let value) = self else { throw mismatch(type) }
            value.write(to: &buffer)
        case .char, .varChar, .bigChar, .bigVarChar, .text:
            guard let text else { throw mismatch(type) }
            CodePage(for: type.collation).encode(text, into: &buffer)
        case .nChar, .nVarChar, .nText:
            guard let text else { throw mismatch(type) }
            buffer.writeUTF16(text)
        case .binary, .varBinary, .bigBinary, .bigVarBin, .image:
            switch self {
            case .bytes(let value): buffer.writeImmutableBuffer(value)
            case .hierarchyID(let value): try value.write(to: &buffer, as: type)
            case .spatial(let value): buffer.writeImmutableBuffer(value.bytes)
            case .udt(let value): buffer.writeImmutableBuffer(value.bytes)
            default: throw mismatch(type)
            }
        case .xml:
            guard let text else { throw mismatch(type) }
            TDSXML(text).write(to: &buffer, as: type)
        case .json:
            guard let text else { throw mismatch(type) }
            buffer.writeString(text)
        case .udt:
            switch self {
            case .bytes(let value): buffer.writeImmutableBuffer(value)
            case .hierarchyID(let value): try value.write(to: &buffer, as: type)
            case .spatial(let value): buffer.writeImmutableBuffer(value.bytes)
            case .udt(let value): buffer.writeImmutableBuffer(value.bytes)
            default: throw mismatch(type)
            }
        case .vector:
            guard case .vector(let value) = self else { throw mismatch(type) }
            try value.write(to: &buffer, as: type)
        case .ssVariant:
            if case .variant(let value) = self { try value.write(to: &buffer) } else { try TDSVariant(self).write(to: &buffer) }
        case .tvp: throw mismatch(type)
        }
        if type.maximumLength != TypeInfo.unlimited, buffer.readableBytes > type.maximumLength {
            throw WireError(.valueOutOfRange, "value", "\(buffer.readableBytes) bytes in \(type.declaration)")
        }
    }

    /// The value as an integer, if it is one.
    var integer: Int64? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .uint8(let value): Int64(value)
        case .int16(let value): Int64(value)
        case .int32(let value): Int64(value)
        case .int64(let value): value
        default: nil
        }
    }

    /// The value as text, if it is a kind of text.
    var text: String? {
        switch self {
        case .string(let value): value
        case .xml(let value): value.text
        case .json(let value): value.text
        default: nil
        }
    }

    private var dateTime2: TDSDateTime2? {
        switch self {
        case .dateTime2(let value): value
        case .date(let value): TDSDateTime2(date: value, time: TDSTime(unchecked: 0, scale: 0))
        case .smallDateTime(let value): TDSDateTime2(date: value.date, time: value.time)
        default: nil
        }
    }

    private func writeInteger(to buffer: inout ByteBuffer, _ type: TypeInfo) throws(WireError) {
        let value: Int64
        if let integer {
            value = integer
        } else if case .decimal(let decimal) = self, let integer = Int64(exactly: decimal) {
            value = integer
        } else {
            throw mismatch(type)
        }
        switch type.maximumLength {
        case 1: buffer.writeLE(try narrow(value, as: UInt8.self, type))
        case 2: buffer.writeLE(try narrow(value, as: Int16.self, type))
        case 4: buffer.writeLE(try narrow(value, as: Int32.self, type))
        default: buffer.writeLE(value)
        }
    }

    private func narrow<T: FixedWidthInteger>(_ value: Int64, as: T.Type, _ type: TypeInfo) throws(WireError) -> T {
        guard let narrow = T(exactly: value) else { throw WireError(.valueOutOfRange, "value", type.declaration) }
        return narrow
    }

    private func exactDecimal(_ type: TypeInfo) throws(WireError) -> TDSDecimal {
        switch self {
        case .decimal(let value): return value
        case .money(let value), .smallMoney(let value): return try value.decimal
        default:
            guard let integer else { throw mismatch(type) }
            return TDSDecimal(integer)
        }
    }

    private func real(_ type: TypeInfo) throws(WireError) -> Float {
        if case .float(let value) = self { return value }
        guard let value = Float(exactly: try double(type)) else { throw mismatch(type) }
        return value
    }

    private func double(_ type: TypeInfo) throws(WireError) -> Double {
        switch self {
        case .double(let value): return value
        case .float(let value): return Double(value)
        case .decimal(let value):
            let rounded = value.double
            guard rounded.isExact else { throw mismatch(type) }
            return rounded.value
        default:
            guard let integer, let value = Double(exactly: integer) else { throw mismatch(type) }
            return value
        }
    }

    private func writeDateTime(to buffer: inout ByteBuffer, _ type: TypeInfo) throws(WireError) {
        let small = type.maximumLength == 4
        switch self {
        case .dateTime(let value) where !small: value.write(to: &buffer, as: type)
        case .smallDateTime(let value):
            if small {
                value.write(to: &buffer, as: type)
            } else {
                try TDSDateTime(days: Int32(value.days), ticks: UInt32(value.minutes) * 18_000).write(to: &buffer, as: type)
            }
        default:
            guard let value = dateTime2 else { throw mismatch(type) }
            if small {
                let rounded = try TDSSmallDateTime.rounding(value.date, value.time)
                guard rounded.isExact else { throw mismatch(type) }
                rounded.value.write(to: &buffer, as: type)
            } else {
                let rounded = try TDSDateTime.rounding(value.date, value.time)
                guard rounded.isExact else { throw mismatch(type) }
                rounded.value.write(to: &buffer, as: type)
            }
        }
    }
}
