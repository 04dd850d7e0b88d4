import NIOCore

/// A code page of one or two bytes a character: lead bytes 0x81 to 0xFE, trail bytes 0x40 to 0xFE.
///
/// Built from its text form when the first value needs it (about a millisecond).
struct DoubleByteTable: Sendable {
    /// Lead and trail bytes of a part of the private use area, which Microsoft maps to user-defined characters in order.
    struct UserDefined: Sendable {
        var leads: ClosedRange<Int>
        var trails: [ClosedRange<Int>]
        var first: UInt16
    }

    private static let trailCount = 0xFF - 0x40
    /// By (lead - 0x81) * 191 + trail - 0x40; 0 where there is none.
    private let characters: [UInt16]
    /// The characters of single bytes from 0x80 on; 0 where there is none.
    private let singles: [UInt16]
    /// By character; 0 where there is none.
    private let codes: [UInt16]

    static let cp932 = DoubleByteTable(
        CP932Table.rows, CP932Table.singles, CP932Table.preferred, [UserDefined(leads: 0xF0...0xF9, trails: [0x40...0x7E, 0x80...0xFC], first: 0xE000)],
        // What NEC selected from IBM's extension is written as IBM's own code (leads 0xFA to 0xFC).
        decodeOnly: 0xED...0xEE)
    static let cp936 = DoubleByteTable(
        CP936Table.rows, CP936Table.singles, CP936Table.preferred,
        [
            UserDefined(leads: 0xAA...0xAF, trails: [0xA1...0xFE], first: 0xE000),
            UserDefined(leads: 0xF8...0xFE, trails: [0xA1...0xFE], first: 0xE234),
            UserDefined(leads: 0xA1...0xA7, trails: [0x40...0x7E, 0x80...0xA0], first: 0xE4C6),
        ])
    static let cp949 = DoubleByteTable(
        CP949Table.rows, CP949Table.singles, CP949Table.preferred,
        [
            UserDefined(leads: 0xC9...0xC9, trails: [0xA1...0xFE], first: 0xE000), UserDefined(leads: 0xFE...0xFE, trails: [0xA1...0xFE], first: 0xE05E),
        ])
    static let cp950 = DoubleByteTable(
        CP950Table.rows, CP950Table.singles, CP950Table.preferred,
        [
            UserDefined(leads: 0xFA...0xFE, trails: [0x40...0x7E, 0xA1...0xFE], first: 0xE000),
            UserDefined(leads: 0x8E...0xA0, trails: [0x40...0x7E, 0xA1...0xFE], first: 0xE311),
            UserDefined(leads: 0x81...0x8D, trails: [0x40...0x7E, 0xA1...0xFE], first: 0xEEB8),
            UserDefined(leads: 0xC6...0xC6, trails: [0xA1...0xFE], first: 0xF6B1),
            UserDefined(leads: 0xC7...0xC8, trails: [0x40...0x7E, 0xA1...0xFE], first: 0xF70F),
        ])

    init(
        _ rows: String, _ singles: [(byte: UInt8, character: UInt16)], _ preferred: [(character: UInt16, code: UInt16)],
        _ userDefined: [UserDefined], decodeOnly: ClosedRange<Int>? = nil
    ) {
        var characters = [UInt16](repeating: 0, count: 126 * Self.trailCount)
        var codes = [UInt16](repeating: 0, count: 0x10000)
        func set(_ lead: Int, _ trail: Int, _ character: UInt16) {
            let index = (lead - 0x81) * Self.trailCount + trail - 0x40
            guard characters.indices.contains(index), characters[index] == 0 else { return }
            characters[index] = character
            if codes[Int(character)] == 0, !(decodeOnly?.contains(lead) ?? false) {
                codes[Int(character)] = UInt16(truncatingIfNeeded: lead << 8 | trail)
            }
        }
        var lead = 0x81
        var trail = 0x40
        for scalar in rows.unicodeScalars {
            switch scalar {
            case "\n":
                lead += 1
                trail = 0x40
            case " ": trail += 1
            default:
                set(lead, trail, UInt16(truncatingIfNeeded: scalar.value))
                trail += 1
            }
        }
        for area in userDefined {
            var character = area.first
            for lead in area.leads {
                for trails in area.trails {
                    for trail in trails {
                        set(lead, trail, character)
                        character += 1
                    }
                }
            }
        }
        for (character, code) in preferred { codes[Int(character)] = code }
        var single = [UInt16](repeating: 0, count: 128)
        for (byte, character) in singles {
            single[Int(byte) - 0x80] = character
            codes[Int(character)] = UInt16(byte)
        }
        self.characters = characters
        self.singles = single
        self.codes = codes
    }

    /// Whether the byte begins a character of two bytes.
    func isLead(_ byte: UInt8) -> Bool {
        byte > 0x80 && byte < 0xFF && singles[Int(byte) - 0x80] == 0
    }

    func decode(_ bytes: RawSpan, into buffer: inout ByteBuffer) {
        let count = bytes.byteCount
        var offset = 0
        buffer.reserveCapacity(minimumWritableBytes: count + count / 2)
        while offset < count {
            let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            if byte < 0x80 {
                let end = bytes.asciiPrefix(from: offset)
                buffer.writeBytes(bytes.extracting(offset..<end))
                offset = end
                continue
            }
            offset &+= 1
            let single = singles[Int(byte &- 0x80)]
            if single != 0 {
                buffer.writeUTF8(basic: single)
                continue
            }
            guard byte > 0x80, byte < 0xFF, offset < count else {
                buffer.writeUTF8(basic: 0xFFFD)
                continue
            }
            let trail = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            let character =
                trail >= 0x40 && trail < 0xFF ? characters[Int(byte &- 0x81) &* Self.trailCount &+ Int(trail &- 0x40)] : 0
            if character != 0 {
                offset &+= 1
                buffer.writeUTF8(basic: character)
            } else {
                // An ASCII byte behind a lead byte is more likely a character of its own than half of a broken one.
                if trail >= 0x80 { offset &+= 1 }
                buffer.writeUTF8(basic: 0xFFFD)
            }
        }
    }

    /// The code of a character that isn't ASCII; nil if there is none.
    func code(_ character: UInt16) -> UInt16? {
        let code = codes[Int(character)]
        return code == 0 ? nil : code
    }
}
