/// hierarchyid between its text (`/1/2/3/`) and its bit-packed form (MS-SSCLRT 2.2.1... "HierarchyId Structure").
///
/// Each level is a label whose bit pattern depends on the value's range, with a last bit that says whether the level ends (1) or a
/// dotted number follows (0).
enum HierarchyID {
    private struct Pattern {
        let low: Int64
        let high: Int64
        /// Most significant bit first; `x` takes a bit of the value, 0 and 1 are fixed.
        let bits: [UInt8]
        init(_ low: Int64, _ high: Int64, _ pattern: String) {
            self.low = low
            self.high = high
            bits = Array(pattern.utf8)
        }
        var prefix: [UInt8] { Array(bits.prefix { $0 != UInt8(ascii: "x") }) }
    }
    // The last T of each pattern (end of level) is added apart.
    private static let patterns: [Pattern] = [
        Pattern(-281_479_271_682_120, -4_294_971_465, "000100xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
        Pattern(-4_294_971_464, -4169, "000101xxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
        Pattern(-4168, -73, "000110xxxxx0xxx0x1xxx"),
        Pattern(-72, -9, "0010xx0x1xxx"),
        Pattern(-8, -1, "00111xxx"),
        Pattern(0, 3, "01xx"),
        Pattern(4, 7, "100xx"),
        Pattern(8, 15, "101xxx"),
        Pattern(16, 79, "110xx0x1xxx"),
        Pattern(80, 1103, "1110xxx0xxx0x1xxx"),
        Pattern(1104, 5199, "11110xxxxx0xxx0x1xxx"),
        Pattern(5200, 4_294_972_495, "111110xxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
        Pattern(4_294_972_496, 281_479_271_683_151, "111111xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx0xxxxxx0xxx0x1xxx"),
    ]

    static func encode(_ text: String) throws -> [UInt8] {
        let trimmed = text
        guard trimmed.hasPrefix("/"), trimmed.hasSuffix("/") else { throw Messages.hierarchyText(text) }
        if trimmed == "/" { return [] }
        var bits: [UInt8] = []
        for level in trimmed.dropFirst().dropLast().split(separator: "/", omittingEmptySubsequences: false) {
            let parts = level.split(separator: ".", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() {
                guard var value = Int64(part) else { throw Messages.hierarchyText(text) }
                let isLast = index == parts.count - 1
                // A number that a dotted one follows is stored one higher, so that it sorts between its neighbours.
                if !isLast { value += 1 }
                guard let pattern = patterns.first(where: { value >= $0.low && value <= $0.high }) else { throw Messages.hierarchyText(text) }
                let count = pattern.bits.count(where: { $0 == UInt8(ascii: "x") })
                var offset = UInt64(bitPattern: value - pattern.low)
                offset <<= UInt64(64 - count)
                for bit in pattern.bits {
                    if bit == UInt8(ascii: "x") {
                        bits.append(UInt8(offset >> 63))
                        offset <<= 1
                    } else {
                        bits.append(bit - UInt8(ascii: "0"))
                    }
                }
                bits.append(isLast ? 1 : 0)
            }
        }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: bits.count, by: 8) {
            var byte: UInt8 = 0
            for index in 0..<8 { byte = byte << 1 | (start + index < bits.count ? bits[start + index] : 0) }
            bytes.append(byte)
        }
        return bytes
    }

    /// nil if the bytes are no hierarchyid.
    static func decode(_ bytes: [UInt8]) -> String? {
        var bits: [UInt8] = []
        for byte in bytes { for shift in (0..<8).reversed() { bits.append(byte >> UInt8(shift) & 1) } }
        var text = "/"
        var position = 0
        var level = ""
        while position < bits.count, bits[position...].contains(1) {
            guard let pattern = patterns.first(where: { candidate in
                let prefix = candidate.prefix
                return position + prefix.count <= bits.count
                    && zip(prefix, bits[position...]).allSatisfy { $0 - UInt8(ascii: "0") == $1 }
            }), position + pattern.bits.count < bits.count else { return nil }
            var value: Int64 = 0
            for (index, bit) in pattern.bits.enumerated() {
                let actual = bits[position + index]
                if bit == UInt8(ascii: "x") { value = value << 1 | Int64(actual) } else if bit - UInt8(ascii: "0") != actual { return nil }
            }
            position += pattern.bits.count
            let isLast = bits[position] == 1
            position += 1
            value += pattern.low
            level += isLast ? "\(value)/" : "\(value - 1)."
            if isLast {
                text += level
                level = ""
            }
        }
        return level.isEmpty ? text : nil
    }

    static func levels(_ bytes: [UInt8]) -> Int { (decode(bytes) ?? "/").utf8.count(where: { $0 == UInt8(ascii: "/") }) - 1 }
}
