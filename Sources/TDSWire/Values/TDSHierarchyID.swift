public import NIOCore

/// A hierarchyid: a position in a tree (MS-SSCLRT 2.1, HierarchyId structure).
///
/// A path has levels, `/1/2.1/3/`; a level has a label of one or more integers, so that there is always room between two siblings.
/// The bytes sort as the paths do, depth first; a path that is the beginning of another comes before it.
public struct TDSHierarchyID: WireValue, Comparable {
    /// The labels from the root down; none is the root itself.
    public let levels: [[Int64]]

    /// The most bytes that a hierarchyid may have.
    public static let maximumLength = 892
    /// The integers that a label may hold. In front of a `.` the largest is one less.
    public static let labelRange: ClosedRange<Int64> = -281_479_271_682_120...281_479_271_683_151

    /// - Throws: ``WireError/Code/valueOutOfRange`` for an empty label, an integer outside ``labelRange`` or more than 892 bytes.
    public init(levels: [[Int64]]) throws(WireError) {
        self.levels = levels
        guard try encoded().count <= Self.maximumLength else { throw WireError(.valueOutOfRange, "hierarchyid", "more than 892 bytes") }
    }

    /// Parses `/1/2.1/3/`. Throws ``WireError/Code/malformed`` for other text, and what ``init(levels:)`` throws.
    public init(text: some StringProtocol) throws(WireError) {
        var levels: [[Int64]] = []
        var label: [Int64] = []
        var number: Int64?
        var negative = false
        let error = WireError(.malformed, "hierarchyid text")
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case 0x2F where index == 0: continue
            case 0x2F, 0x2E:
                guard index > 0, let value = number else { throw error }
                label.append(negative ? -value : value)
                (number, negative) = (nil, false)
                if byte == 0x2F {
                    levels.append(label)
                    label = []
                }
            case 0x2D:
                guard index > 0, number == nil, !negative else { throw error }
                negative = true
            case 0x30...0x39:
                guard index > 0, number != 0 else { throw error }
                let value = (number ?? 0) * 10 + Int64(byte - 0x30)
                guard value <= Self.labelRange.upperBound else { throw WireError(.valueOutOfRange, "hierarchyid", "label") }
                number = value
            default: throw error
            }
        }
        guard !text.isEmpty, label.isEmpty, number == nil, !negative else { throw error }
        try self.init(levels: levels)
    }

    /// `/1/2.1/3/`; `/` for the root.
    public var description: String {
        var text = "/"
        for level in levels {
            for (index, number) in level.enumerated() {
                if index > 0 { text += "." }
                text += String(number)
            }
            text += "/"
        }
        return text
    }

    public static func < (a: TDSHierarchyID, b: TDSHierarchyID) -> Bool {
        for (left, right) in zip(a.levels, b.levels) where left != right {
            return left.lexicographicallyPrecedes(right)
        }
        return a.levels.count < b.levels.count
    }

    // MARK: Wire

    public init(wire bytes: RawSpan, _ type: TypeInfo) throws(WireError) { try self.init(wire: bytes) }

    /// Reads all bytes; none is the root.
    public init(wire bytes: RawSpan) throws(WireError) {
        guard bytes.byteCount <= Self.maximumLength else { throw WireError(.malformed, "hierarchyid", "more than 892 bytes") }
        var levels: [[Int64]] = []
        var label: [Int64] = []
        var position = 0
        let count = bytes.byteCount * 8
        func bit(_ index: Int) throws(WireError) -> UInt8 {
            guard index < count else { throw WireError(.malformed, "hierarchyid", "ends inside a label") }
            return try bytes.loadLE(at: index >> 3, "hierarchyid", as: UInt8.self) >> UInt8(7 - index & 7) & 1
        }
        reading: while position < count {
            // A label's pattern has a one among its first six bits; fewer than eight zeros up to the end are padding.
            if count - position < 8 {
                var rest: UInt8 = 0
                for index in position..<count { rest |= try bit(index) }
                if rest == 0 { break reading }
            }
            var found: LabelPattern?
            candidates: for pattern in LabelPattern.all {
                for (index, expected) in pattern.prefix.enumerated() {
                    guard position + index < count, try bit(position + index) == expected else { continue candidates }
                }
                found = pattern
                break
            }
            guard let found else { throw WireError(.malformed, "hierarchyid", "no such label") }
            position += found.prefix.count
            var offset: UInt64 = 0
            for expected in found.suffix {
                let value = try bit(position)
                position += 1
                if expected == LabelPattern.digit {
                    offset = offset << 1 | UInt64(value)
                } else if expected != value {
                    throw WireError(.malformed, "hierarchyid", "a label's fixed bit is wrong")
                }
            }
            let ends = try bit(position) == 1
            position += 1
            // What stands before a '.' is stored as one more, so that it sorts behind the same number alone.
            label.append(found.first + Int64(offset) - (ends ? 0 : 1))
            if ends {
                levels.append(label)
                label = []
            }
        }
        guard label.isEmpty else { throw WireError(.malformed, "hierarchyid", "ends inside a label") }
        self.levels = levels
    }

    public func write(to buffer: inout ByteBuffer, as type: TypeInfo) throws(WireError) { buffer.writeBytes(try encoded()) }

    func encoded() throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        var free: UInt8 = 0
        func append(_ bit: UInt8) {
            if free == 0 {
                bytes.append(0)
                free = 8
            }
            free -= 1
            bytes[bytes.count - 1] |= bit << free
        }
        for level in levels {
            guard !level.isEmpty else { throw WireError(.valueOutOfRange, "hierarchyid", "an empty label") }
            for (index, number) in level.enumerated() {
                let ends = index == level.count - 1
                let (stored, overflow) = number.addingReportingOverflow(ends ? 0 : 1)
                guard !overflow, let pattern = LabelPattern.all.first(where: { $0.first <= stored && stored <= $0.last }) else {
                    throw WireError(.valueOutOfRange, "hierarchyid", "label")
                }
                for bit in pattern.prefix { append(bit) }
                let offset = UInt64(stored - pattern.first)
                var shift = UInt64(pattern.digits)
                for expected in pattern.suffix {
                    if expected == LabelPattern.digit {
                        shift -= 1
                        append(UInt8(truncatingIfNeeded: offset >> shift) & 1)
                    } else {
                        append(expected)
                    }
                }
                append(ends ? 1 : 0)
            }
        }
        return bytes
    }
}

/// How the integers of one range are written: a prefix that names the range, then the offset from its first integer, among fixed bits
/// that keep the patterns apart and in order; last, a bit that is 1 before `/` and 0 before `.`.
private struct LabelPattern: Sendable {
    let first: Int64
    let last: Int64
    let prefix: [UInt8]
    /// The bits behind the prefix, but for the last; ``digit`` is one of the offset's.
    let suffix: [UInt8]
    let digits: Int

    static let digit: UInt8 = 2

    init(_ first: Int64, _ last: Int64, _ prefix: String, _ suffix: String) {
        self.first = first
        self.last = last
        self.prefix = prefix.utf8.map { $0 - 48 }
        self.suffix = suffix.utf8.map { $0 == UInt8(ascii: "x") ? Self.digit : $0 - 48 }
        digits = self.suffix.count { $0 == Self.digit }
    }

    static let all: [LabelPattern] = [
        LabelPattern(0, 3, "01", "xx"),
        LabelPattern(4, 7, "100", "xx"),
        LabelPattern(8, 15, "101", "xxx"),
        LabelPattern(16, 79, "110", "xx0x1xxx"),
        LabelPattern(80, 1103, "1110", "xxx0xxx0x1xxx"),
        LabelPattern(1104, 5199, "11110", "xxxxx0xxx0x1xxx"),
        LabelPattern(5200, 4_294_972_495, "111110", "xxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
        LabelPattern(4_294_972_496, 281_479_271_683_151, "111111", "xxxxxxxxxxxxxx0xxxxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
        LabelPattern(-8, -1, "00111", "xxx"),
        LabelPattern(-72, -9, "0010", "xx0x1xxx"),
        LabelPattern(-4168, -73, "000110", "xxxxx0xxx0x1xxx"),
        LabelPattern(-4_294_971_464, -4169, "000101", "xxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
        LabelPattern(-281_479_271_682_120, -4_294_971_465, "000100", "xxxxxxxxxxxxxx0xxxxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
    ]
}
