// What each type's value becomes: the part of the document writer that knows wire forms.

import NIOCore
import TDSWire

extension DocumentWriter {
    @inline(__always)
    mutating func writeValue(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        switch plan.kind {
        case .integer:
            let value = try Self.signedInteger(bytes)
            writeMember(plan, atMost: DocumentCursor.integerRoom) { $0.appendInteger(value) }
        case .utf16:
            guard bytes.byteCount / 2 <= layout.largestValue / 4 else { return try writeCut(bytes, column) }
            writeMember(plan, atMost: bytes.byteCount &* 3 &+ 2) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendUTF16(bytes)
                cursor.append(UInt8(ascii: "\""))
            }
        case .codePage, .utf8:
            guard bytes.byteCount <= layout.largestValue / 4 else { return try writeCut(bytes, column) }
            try writeBytesAsText(plan, bytes, column)
        case .decimal:
            try writeDecimal(plan, bytes)
        case .dateTime2:
            guard bytes.byteCount >= 6 else { throw Self.wrongLength(column) }
            let days = Self.threeBytes(bytes, bytes.byteCount &- 3)
            let (seconds, ticks) = try Self.timeOfDay(bytes, bytes.byteCount &- 3, plan.scale)
            let offset = zone.offset(local: Int64(days &- daysToYear1970) &* 86400 &+ Int64(seconds))
            writeMember(plan, atMost: DocumentCursor.temporalRoom) {
                $0.appendTimestamp(days: days, seconds: seconds, ticks: ticks, offsetMinutes: offset / 60)
            }
        case .bit:
            guard bytes.byteCount == 1 else { throw Self.wrongLength(column) }
            let value = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) != 0
            writeMember(plan, atMost: 5) { $0.append(value ? "true" : "false") }
        case .float:
            let value: Double
            switch bytes.byteCount {
            case 8: value = Double(bitPattern: UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)))
            case 4: value = Double(Float(bitPattern: UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self))))
            default: throw Self.wrongLength(column)
            }
            writeMember(plan, atMost: DocumentCursor.doubleRoom) { $0.appendDouble(value) }
        default: try writeLessCommon(plan, bytes, column)
        }
    }

    @inline(__always)
    mutating func writeDecimal(_ plan: DocumentColumn, _ bytes: RawSpan) throws(WireError) {
        let length = bytes.byteCount
        guard length == 5 || length == 9 || length == 13 || length == 17 else { throw WireError(.malformed, "decimal", "\(length) bytes") }
        let negative = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == 0
        if length <= 9 {
            let magnitude: UInt64 =
                length == 5
                ? UInt64(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt32.self)))
                : UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt64.self))
            return writeMember(plan, atMost: DocumentCursor.decimalRoom) {
                $0.appendDecimal(negative: negative, magnitude: magnitude, scale: Int(plan.scale))
            }
        }
        var magnitude: UInt128 = 0
        for index in (1..<length).reversed() { magnitude = magnitude << 8 | UInt128(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)) }
        writeMember(plan, atMost: DocumentCursor.decimalRoom) {
            $0.appendDecimal(negative: negative, magnitude: magnitude, scale: Int(plan.scale))
        }
    }

    @inline(__always)
    mutating func writeBytesAsText(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        var plain = 0
        // Room for six bytes each: more than any code page's character becomes in UTF-8, or a control in JSON.
        writeMember(plan, atMost: bytes.byteCount &* 6 &+ 2) { cursor in
            cursor.append(UInt8(ascii: "\""))
            plain = cursor.appendASCIIPrefix(bytes)
            if plain == bytes.byteCount { cursor.append(UInt8(ascii: "\"")) }
        }
        if plain < bytes.byteCount { try writeRestOfText(bytes.extracting(plain..<bytes.byteCount), column) }
    }

    /// What is left of a text after its ASCII beginning, and the closing quote.
    @inline(never)
    mutating func writeRestOfText(_ bytes: RawSpan, _ column: Int) throws(WireError) {
        let text = TextDecoding.string(bytes, metadata[column].typeInfo.collation)
        buffer.write(atMost: text.utf8.count &* 6 &+ 1) { cursor in
            cursor.appendText(text)
            cursor.append(UInt8(ascii: "\""))
        }
    }

    @inline(never)
    mutating func writeLessCommon(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        let count = bytes.byteCount
        switch plan.kind {
        case .operation:
            guard count >= 1 else { throw Self.wrongLength(column) }
            switch bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) {
            case UInt8(ascii: "I"): operation = UInt8(ascii: "c")
            case UInt8(ascii: "U"): operation = UInt8(ascii: "u")
            case UInt8(ascii: "D"): operation = UInt8(ascii: "d")
            default: throw WireError(.malformed, "SYS_CHANGE_OPERATION", "neither I, U nor D")
            }
        case .version: version = try Self.signedInteger(bytes)
        case .presence: setPresence(try Self.signedInteger(bytes) != 0)
        case .unsignedByte:
            guard count == 1 else { throw Self.wrongLength(column) }
            let value = UInt64(bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
            writeMember(plan, atMost: DocumentCursor.integerRoom) { $0.appendInteger(value) }
        case .money:
            let amount: Int64
            switch count {
            case 4: amount = Int64(Int32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)))
            case 8:
                // The high half comes first.
                let high = UInt64(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)))
                let low = UInt64(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self)))
                amount = Int64(bitPattern: high << 32 | low)
            default: throw Self.wrongLength(column)
            }
            writeMember(plan, atMost: DocumentCursor.decimalRoom) {
                $0.appendDecimal(negative: amount < 0, magnitude: amount.magnitude, scale: 4)
            }
        case .base64:
            let cut = bytes.extracting(0..<min(count, layout.largestValue))
            writeMember(plan, atMost: (cut.byteCount &+ 2) / 3 &* 4 &+ 2) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendBase64(cut)
                cursor.append(UInt8(ascii: "\""))
            }
        case .guid:
            guard count == 16 else { throw Self.wrongLength(column) }
            writeMember(plan, atMost: 38) { cursor in
                cursor.append(UInt8(ascii: "\""))
                for (place, index) in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].enumerated() {
                    if place == 4 || place == 6 || place == 8 || place == 10 { cursor.append(UInt8(ascii: "-")) }
                    let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
                    cursor.append(DocumentCursor.hexDigit(byte >> 4))
                    cursor.append(DocumentCursor.hexDigit(byte & 15))
                }
                cursor.append(UInt8(ascii: "\""))
            }
        case .date:
            guard count == 3 else { throw Self.wrongLength(column) }
            let days = Self.threeBytes(bytes, 0)
            writeMember(plan, atMost: DocumentCursor.temporalRoom) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendDate(days)
                cursor.append(UInt8(ascii: "\""))
            }
        case .time:
            let (seconds, ticks) = try Self.timeOfDay(bytes, count, plan.scale)
            writeMember(plan, atMost: DocumentCursor.temporalRoom) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendTime(seconds: seconds, ticks: ticks)
                cursor.append(UInt8(ascii: "\""))
            }
        case .dateTime:
            guard count == 8 else { throw Self.wrongLength(column) }
            let days = Int(Int32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)))
            let ticks = Int(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            guard (-53690..<2_958_464).contains(days), ticks < 25_920_000 else { throw WireError(.valueOutOfRange, "datetime") }
            // 1/300 s, rounded to milliseconds as SQL Server prints them: .000, .003, .007
            let milliseconds = (ticks % 300 &* 10 &+ 1) / 3
            writeLocal(plan, days: days &+ daysToYear1900, seconds: ticks / 300, ticks: milliseconds &* 10_000)
        case .smallDateTime:
            guard count == 4 else { throw Self.wrongLength(column) }
            let days = Int(UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt16.self)))
            let minutes = Int(UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard minutes < 1440 else { throw WireError(.valueOutOfRange, "smalldatetime") }
            writeLocal(plan, days: days &+ daysToYear1900, seconds: minutes &* 60, ticks: 0)
        case .dateTimeOffset:
            guard count >= 8 else { throw Self.wrongLength(column) }
            let offset = Int(Int16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: count &- 2, as: Int16.self)))
            guard offset.magnitude <= 840 else { throw WireError(.valueOutOfRange, "datetimeoffset") }
            let (seconds, ticks) = try Self.timeOfDay(bytes, count &- 5, plan.scale)
            // The wire holds UTC; the text shows the local time of the offset.
            var local = seconds &+ offset &* 60
            var days = Self.threeBytes(bytes, count &- 5)
            if local < 0 { (days, local) = (days &- 1, local &+ 86400) } else if local >= 86400 { (days, local) = (days &+ 1, local &- 86400) }
            writeMember(plan, atMost: DocumentCursor.temporalRoom) {
                $0.appendTimestamp(days: days, seconds: local, ticks: ticks, offsetMinutes: offset)
            }
        default: try writeUncommon(plan, bytes, column)
        }
    }

    mutating func writeLocal(_ plan: DocumentColumn, days: Int, seconds: Int, ticks: Int) {
        let offset = zone.offset(local: Int64(days &- daysToYear1970) &* 86400 &+ Int64(seconds))
        writeMember(plan, atMost: DocumentCursor.temporalRoom) {
            $0.appendTimestamp(days: days, seconds: seconds, ticks: ticks, offsetMinutes: offset / 60)
        }
    }

    /// Types that a document shows in a form of its own: sql_variant as a column of its base type would be, vector, json, shapes.
    @inline(never)
    mutating func writeUncommon(_ plan: DocumentColumn, _ bytes: RawSpan, _ column: Int) throws(WireError) {
        if plan.kind == .variant {
            let variant = try TDSVariant(wire: bytes)
            guard let content = try variant.value.wireContent(for: variant.type) else { return writeMember(plan, atMost: 4) { $0.append("null") } }
            let declared = metadata[column]
            metadata[column].typeInfo = variant.type
            defer { metadata[column] = declared }
            var base = try DocumentColumn(metadata[column])
            (base.nameStart, base.nameEnd) = (plan.nameStart, plan.nameEnd)
            guard base.kind != .variant else { throw WireError(.malformed, "sql_variant", "a variant in a variant") }
            return try writeValue(base, content.readableBytesSpan, column)
        }
        let json = try UncommonValues.json(bytes, metadata[column].typeInfo, largest: layout.largestValue)
        writeMember(plan, atMost: json.count) { $0.append(json.span.bytes) }
    }

    /// A text or binary value that may be longer than documents hold.
    @inline(never)
    mutating func writeCut(_ bytes: RawSpan, _ column: Int) throws(WireError) {
        let plan = columns[column]
        if plan.isKey { noteKey(bytes, column) }
        switch plan.kind {
        case .utf16, .codePage, .utf8:
            let text = plan.kind == .utf16 ? TextDecoding.utf16(bytes) : TextDecoding.string(bytes, metadata[column].typeInfo.collation)
            let cut = TextDecoding.cut(text, atMost: layout.largestValue)
            writeMember(plan, atMost: cut.utf8.count &* 6 &+ 2) { cursor in
                cursor.append(UInt8(ascii: "\""))
                cursor.appendText(cut)
                cursor.append(UInt8(ascii: "\""))
            }
        default: try writeLessCommon(plan, bytes, column)
        }
    }

    // MARK: Wire forms

    @inline(__always)
    static func signedInteger(_ bytes: RawSpan) throws(WireError) -> Int64 {
        switch bytes.byteCount {
        case 4: Int64(Int32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int32.self)))
        case 8: Int64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int64.self))
        case 2: Int64(Int16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: Int16.self)))
        case 1: Int64(bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
        default: throw WireError(.malformed, "integer", "\(bytes.byteCount) bytes")
        }
    }

    @inline(__always)
    static func threeBytes(_ bytes: RawSpan, _ offset: Int) -> Int {
        Int(UInt16(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
            | Int(bytes.unsafeLoad(fromByteOffset: offset &+ 2, as: UInt8.self)) << 16
    }

    /// The time of day in the first `length` bytes: seconds, and the fraction in 100 ns.
    @inline(__always)
    static func timeOfDay(_ bytes: RawSpan, _ length: Int, _ scale: UInt8) throws(WireError) -> (seconds: Int, ticks: Int) {
        var value: Int
        switch length {
        case 5:
            value = Int(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)))
                | Int(bytes.unsafeLoad(fromByteOffset: 4, as: UInt8.self)) << 32
        case 4: value = Int(UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt32.self)))
        case 3: value = threeBytes(bytes, 0)
        default: throw WireError(.malformed, "time", "\(length) bytes")
        }
        if scale == 7 {
            guard value < 864_000_000_000 else { throw WireError(.valueOutOfRange, "time") }
            return (value / 10_000_000, value % 10_000_000)
        }
        var missing = scale
        while missing < 7 {
            value = value &* 10
            missing &+= 1
        }
        guard value < 864_000_000_000 else { throw WireError(.valueOutOfRange, "time") }
        return (value / 10_000_000, value % 10_000_000)
    }

    static func wrongLength(_ column: Int) -> WireError {
        WireError(.malformed, "ROW", "column \(column): a value of the wrong length")
    }
}
