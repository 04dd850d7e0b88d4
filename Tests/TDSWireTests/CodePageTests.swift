import NIOCore
import TDSWire
import Testing

/// Code pages against Python's codecs, and collations.
@Suite struct CodePageTests {
    static func fnv(_ value: inout UInt64, _ halves: UInt16...) {
        for half in halves {
            for byte in [UInt8(half >> 8), UInt8(truncatingIfNeeded: half)] { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
    }

    @Test func singleBytePages() {
        for (page, golden) in CodePageGolden.single {
            let scalars = Array(golden.unicodeScalars)
            #expect(scalars.count == 128)
            for byte in UInt8(0)...255 {
                let bytes = ByteBuffer(bytes: [byte])
                let text = page.string(bytes.readableBytesSpan)
                let scalar = text.unicodeScalars.first
                if byte < 0x80 {
                    #expect(scalar?.value == UInt32(byte))
                } else if scalars[Int(byte) - 0x80] != "\u{FFFD}" {
                    #expect(scalar == scalars[Int(byte) - 0x80], "\(page) \(byte)")
                }
                // Every byte survives, those that Python has not included.
                #expect(page.encode(text) == bytes, "\(page) \(byte)")
            }
        }
    }

    @Test func doubleBytePages() {
        for (page, pairs, decodedSum, encodedSum) in CodePageGolden.double {
            for (code, character) in pairs {
                let bytes = ByteBuffer(integer: code)
                #expect(page.string(bytes.readableBytesSpan).unicodeScalars.map(\.value) == [UInt32(character)], "\(page) \(code)")
            }
            var decoded: UInt64 = 0xCBF2_9CE4_8422_2325
            var characters: Set<UInt16> = []
            for lead in UInt16(0x81)...0xFE {
                for trail in UInt16(0x40)...0xFE {
                    let bytes = ByteBuffer(integer: lead << 8 | trail)
                    let scalars = Array(page.string(bytes.readableBytesSpan).unicodeScalars)
                    // Two bytes that are no pair give two characters, or the replacement character.
                    guard scalars.count == 1, let scalar = scalars.first, scalar != "\u{FFFD}", let unit = UInt16(exactly: scalar.value) else { continue }
                    guard !(0xE000..<0xF900).contains(unit) else {
                        #expect(page.encode(String(scalar)) == bytes)
                        continue
                    }
                    Self.fnv(&decoded, lead << 8 | trail, unit)
                    characters.insert(unit)
                }
            }
            #expect(decoded == decodedSum, "\(page)")
            var encoded: UInt64 = 0xCBF2_9CE4_8422_2325
            for character in characters.sorted() {
                guard let scalar = Unicode.Scalar(character) else { continue }
                var bytes = page.encode(String(scalar))
                Self.fnv(&encoded, character, bytes.readInteger() ?? 0)
            }
            #expect(encoded == encodedSum, "\(page)")
        }
    }

    @Test func whatCannotBeWritten() {
        #expect(CodePage.cp1252.encode("a€漢😀ü") == ByteBuffer(bytes: [0x61, 0x80, 0x3F, 0x3F, 0xFC]))
        var buffer = ByteBuffer()
        #expect(CodePage.cp1252.encode("漢字", into: &buffer) == 2)
        #expect(CodePage.cp932.encode("漢字ｱ") == ByteBuffer(bytes: [0x8A, 0xBF, 0x8E, 0x9A, 0xB1]))
        #expect(CodePage.utf8.encode("漢字").readableBytes == 6)
        // A lead byte before ASCII, and at the end.
        #expect(CodePage.cp936.string(ByteBuffer(bytes: [0x81, 0x20, 0x41, 0x81]).readableBytesSpan) == "\u{FFFD} A\u{FFFD}")
        #expect(CodePage.utf8.string(ByteBuffer(bytes: [0x41, 0xFF, 0x42]).readableBytesSpan) == "A\u{FFFD}B")
    }

    @Test func piecesOfText() {
        let text = "Grüße, 漢字 ｱ 한국어 naïve — €½ Привет 😀 plain ASCII text that is longer than eight bytes; 表ソ"
        func check(_ make: () -> TextDecoder, _ bytes: ByteBuffer, _ expected: String) {
            for first in 0...bytes.readableBytes {
                for second in stride(from: first, through: bytes.readableBytes, by: 5) {
                    var decoder = make()
                    var buffer = ByteBuffer()
                    for range in [0..<first, first..<second, second..<bytes.readableBytes] {
                        decoder.decode(bytes.readableBytesSpan.extracting(range), into: &buffer)
                    }
                    decoder.finish(into: &buffer)
                    if String(buffer: buffer) != expected {
                        Issue.record("split at \(first), \(second): \(String(buffer: buffer))")
                        return
                    }
                }
            }
        }
        var wide = ByteBuffer()
        for unit in text.utf16 { wide.writeInteger(unit, endianness: .little) }
        check({ TextDecoder(TypeInfo(.nVarChar, maximumLength: 8000)) }, wide, text)
        #expect(UTF16Text.string(wide.readableBytesSpan) == text)
        for page in CodePage.allCases {
            let bytes = page.encode(text)
            check({ TextDecoder(page) }, bytes, page.string(bytes.readableBytesSpan))
        }
        #expect(CodePage.utf8.string(CodePage.utf8.encode(text).readableBytesSpan) == text)
        // Broken at the end.
        var decoder = TextDecoder(TypeInfo(.nVarChar, maximumLength: 8000))
        var buffer = ByteBuffer()
        decoder.decode(ByteBuffer(bytes: [0x41, 0, 0x3D, 0xD8]).readableBytesSpan, into: &buffer)
        decoder.decode(ByteBuffer(bytes: [0x42]).readableBytesSpan, into: &buffer)
        decoder.finish(into: &buffer)
        #expect(String(buffer: buffer).hasPrefix("A\u{FFFD}"))
    }

    @Test func utf16Surrogates() {
        func decode(_ units: UInt16...) -> String {
            var bytes = ByteBuffer()
            for unit in units { bytes.writeInteger(unit, endianness: .little) }
            return UTF16Text.string(bytes.readableBytesSpan)
        }
        #expect(decode(0xD83D, 0xDE00) == "😀")
        #expect(decode(0xD83D, 0x41) == "\u{FFFD}A")
        #expect(decode(0xDE00, 0x41) == "\u{FFFD}A")
        #expect(decode(0xD83D) == "\u{FFFD}")
        #expect(decode(0xD83D, 0xD83D, 0xDE00) == "\u{FFFD}😀")
        for value in [UInt32(0x7F), 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            var bytes = ByteBuffer()
            for unit in String(scalar).utf16 { bytes.writeInteger(unit, endianness: .little) }
            #expect(Array(UTF16Text.string(bytes.readableBytesSpan).unicodeScalars) == [scalar])
        }
    }

    @Test func collationsByName() throws {
        // Bytes as servers send them.
        let known: [(String, UInt32, UInt8, CodePage?)] = [
            ("SQL_Latin1_General_CP1_CI_AS", 0x00D0_0409, 52, .cp1252), ("Latin1_General_CI_AS", 0x00D0_0409, 0, .cp1252),
            ("Latin1_General_BIN", 0x0100_0409, 0, .cp1252), ("Latin1_General_100_BIN2_UTF8", 0x2600_0409, 0, .utf8),
            ("Latin1_General_100_CI_AS_SC_UTF8", 0x24D0_0409, 0, .utf8), ("Japanese_CI_AS", 0x00D0_0411, 0, .cp932),
            ("Japanese_XJIS_140_CS_AS_KS_WS", 0x3000_0411, 0, .cp932), ("Chinese_PRC_CI_AS", 0x00D0_0804, 0, .cp936),
            ("Chinese_Taiwan_Stroke_CI_AS", 0x00D0_0404, 0, .cp950), ("Korean_Wansung_CI_AS", 0x00D0_0412, 0, .cp949),
            ("Thai_CI_AS", 0x00D0_041E, 0, .cp874), ("Cyrillic_General_CI_AS", 0x00D0_0419, 0, .cp1251),
            ("Greek_CI_AI", 0x00F0_0408, 0, .cp1253), ("Turkish_CI_AS", 0x00D0_041F, 0, .cp1254), ("Hebrew_CI_AS", 0x00D0_040D, 0, .cp1255),
            ("Arabic_CI_AS", 0x00D0_0401, 0, .cp1256), ("Latvian_CI_AS", 0x00D0_0426, 0, .cp1257), ("Vietnamese_CI_AS", 0x00D0_042A, 0, .cp1258),
            ("Polish_CI_AS", 0x00D0_0415, 0, .cp1250), ("German_PhoneBook_CI_AS", 0x00D1_0407, 0, .cp1252), ("Indic_General_90_CI_AS", 0x10D0_0439, 0, nil),
            ("SQL_Latin1_General_CP850_BIN2", 0x0200_0409, 45, .cp850), ("SQL_Latin1_General_CP437_CI_AS", 0x00D0_0409, 32, .cp437),
            ("SQL_Latin1_General_CP1251_CS_AS", 0x00C0_0419, 105, .cp1251),
        ]
        for (name, info, sortID, page) in known {
            let collation = try #require(Collation(named: name), "\(name)")
            #expect(collation == Collation(info: info, sortID: sortID), "\(name)")
            #expect(collation.codePage == page, "\(name)")
            #expect(Collation(named: name.uppercased()) == collation)
            #expect(collation.name == name)
        }
        #expect(Collation(named: "Latin1_General_100_CI_AS_SC") == Collation(named: "Latin1_General_100_CI_AS"))
        for name in [
            "", "Latin1_General", "Latin1_General_CI", "Latin1_General_AS_CI", "Latin1_General_CI_AS_UTF8", "Latin1_General_100_CI_AS_UTF8", "Klingon_CI_AS",
            "Latin1_General_140_CI_AS", "SQL_Latin1_General_CP1_CI", "Latin1_General_CI_AS_SC", "Latin1_General_BIN_UTF8", "CI_AS",
        ] {
            #expect(Collation(named: name) == nil, "\(name)")
        }
        #expect(CodePage(for: nil) == .cp1252)
        #expect(CodePage(for: Collation(info: 0x00D0_0439, sortID: 0)) == .cp1252)
    }

    @Test func everySuffixOfEveryFamilyAndBack() throws {
        let families = ["Latin1_General", "Latin1_General_100", "Japanese_90", "Chinese_PRC_Stroke", "Japanese_Bushu_Kakusu_140", "Korean_100", "Uzbek_Latin_90"]
        for family in families {
            var names = ["\(family)_BIN", "\(family)_BIN2"]
            for cased in ["CI", "CS"] {
                for accented in ["AI", "AS"] {
                    for rest in ["", "_KS", "_WS", "_KS_WS"] { names.append("\(family)_\(cased)_\(accented)\(rest)") }
                }
            }
            for name in names {
                let collation = try #require(Collation(named: name))
                #expect(collation.name == name)
            }
        }
    }
}
