import TDSWire

/// Dates and times in text, in the forms that SQL Server reads with `us_english` settings.
enum DateTimeParsing {
    private enum Piece: Equatable {
        case number(Int, digits: Int)
        case word(String)
        case mark(UInt8)
    }

    /// nil if the text is none. An empty text is 1900-01-01. `order` is SET DATEFORMAT: "mdy", "dmy", "ymd" ...
    static func parse(_ text: String, order: String = "mdy") -> DateTimeParts? {
        let bytes = Array(text.utf8)
        var pieces: [Piece] = []
        var spaced: [Bool] = []
        var index = 0
        var blank = false
        while index < bytes.count {
            let c = bytes[index]
            if c == 32 || c == 9 || c == 10 || c == 13 {
                blank = true
                index += 1
                continue
            }
            spaced.append(blank)
            blank = false
            if c >= 48, c <= 57 {
                var value = 0, digits = 0
                while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57 {
                    if digits < 15 { value = value * 10 + Int(bytes[index] - 48) }
                    digits += 1
                    index += 1
                }
                pieces.append(.number(value, digits: digits))
            } else if (c | 0x20) >= 97, (c | 0x20) <= 122 {
                let start = index
                while index < bytes.count, (bytes[index] | 0x20) >= 97, (bytes[index] | 0x20) <= 122 { index += 1 }
                pieces.append(.word(String(decoding: bytes[start..<index], as: UTF8.self).lowercased()))
            } else {
                pieces.append(.mark(c))
                index += 1
            }
        }
        var result = DateTimeParts()
        if pieces.isEmpty {
            result.day = .first1900
            return result
        }
        var reader = Reader(pieces: pieces, spaced: spaced, order: order)
        return reader.read()
    }

    private struct Reader {
        let pieces: [Piece]
        let spaced: [Bool]
        let order: String
        var position = 0
        var result = DateTimeParts()

        init(pieces: [Piece], spaced: [Bool], order: String) {
            self.pieces = pieces
            self.spaced = spaced
            self.order = order
        }

        func piece(_ offset: Int = 0) -> Piece? { position + offset < pieces.count ? pieces[position + offset] : nil }
        static let separators: Set<UInt8> = [UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ".")]

        mutating func read() -> DateTimeParts? {
            if isTime() {
                guard time() else { return nil }
                if position < pieces.count, piece() != nil, !isZone() {
                    // A date after the time.
                    guard date() else { return nil }
                }
            } else {
                guard date() else { return nil }
                if position < pieces.count {
                    if piece() == .word("t") {
                        position += 1
                        guard time() else { return nil }
                    } else if isTime() {
                        guard time() else { return nil }
                    }
                }
            }
            if position < pieces.count, !zone() { return nil }
            return position == pieces.count ? result : nil
        }

        private func isZone() -> Bool {
            switch piece() {
            case .word("z"), .mark(UInt8(ascii: "+")), .mark(UInt8(ascii: "-")): return true
            default: return false
            }
        }
        /// A number followed by a colon, AM or PM.
        private func isTime() -> Bool {
            guard case .number = piece() else { return false }
            switch piece(1) {
            case .mark(UInt8(ascii: ":")), .word("am"), .word("pm"): return true
            default: return false
            }
        }

        private mutating func time() -> Bool {
            guard case .number(var hour, _) = piece() else { return false }
            position += 1
            var minute = 0, second = 0
            var fraction: Int64 = 0
            if piece() == .mark(UInt8(ascii: ":")) {
                guard case .number(let value, _) = piece(1) else { return false }
                minute = value
                position += 2
                if piece() == .mark(UInt8(ascii: ":")) {
                    guard case .number(let value, _) = piece(1) else { return false }
                    second = value
                    position += 2
                    let mark = piece()
                    if mark == .mark(UInt8(ascii: ".")) || mark == .mark(UInt8(ascii: ":")) || mark == .mark(UInt8(ascii: ",")) {
                        guard case .number(let value, let digits) = piece(1) else { return false }
                        result.fractionDigits = digits
                        if mark == .mark(UInt8(ascii: ":")) {
                            fraction = Int64(value) * 10_000
                        } else {
                            guard digits <= 9 else { return false }
                            var scaled = Int64(value)
                            if digits <= 7 { for _ in digits..<7 { scaled *= 10 } } else { for _ in 7..<digits { scaled = (scaled + 5) / 10 } }
                            fraction = scaled
                        }
                        position += 2
                    }
                }
            }
            if case .word(let half) = piece(), half == "am" || half == "pm" || half == "a" || half == "p" {
                guard hour >= 0, hour <= 12 else { return false }
                if half.hasPrefix("p") { if hour < 12 { hour += 12 } } else if hour == 12 { hour = 0 }
                position += 1
            }
            guard hour < 24, minute < 60, second < 60 else { return false }
            result.time = Int64(hour * 3600 + minute * 60 + second) * DateTimeParts.unitsPerSecond + fraction
            return true
        }

        private mutating func zone() -> Bool {
            if piece() == .word("z") {
                position += 1
                result.offset = 0
                return true
            }
            let negative: Bool
            switch piece() {
            case .mark(UInt8(ascii: "+")): negative = false
            case .mark(UInt8(ascii: "-")): negative = true
            default: return false
            }
            guard case .number(let hour, _) = piece(1), piece(2) == .mark(UInt8(ascii: ":")), case .number(let minute, _) = piece(3),
                hour <= 14, minute < 60, hour * 60 + minute <= 840
            else { return false }
            position += 4
            result.offset = Int16((negative ? -1 : 1) * (hour * 60 + minute))
            return true
        }

        private func year(_ value: Int, digits: Int) -> Int? {
            if digits == 4 { return value }
            if digits <= 2 { return value < 50 ? 2000 + value : 1900 + value }
            return nil
        }

        private mutating func date() -> Bool {
            // Month in words: `Aug 31 1991`, `31 August 1991`, `1991 Aug 31`.
            if let month = month(at: 0) {
                position += 1
                guard case .number(let first, let firstDigits) = piece() else { return false }
                position += 1
                if piece() == .mark(UInt8(ascii: ",")) { position += 1 }
                if firstDigits == 4 {
                    if case .number(let day, let digits) = piece(), digits <= 2, !isTime() {
                        position += 1
                        return set(first, month, day)
                    }
                    return set(first, month, 1)
                }
                guard case .number(let second, let digits) = piece(), let year = year(second, digits: digits) else { return false }
                position += 1
                return set(year, month, first)
            }
            guard case .number(let first, let digits) = piece() else { return false }
            position += 1
            var separator: UInt8?
            if case .mark(let mark) = piece(), Reader.separators.contains(mark) {
                separator = mark
                position += 1
            } else if piece() == .mark(UInt8(ascii: ",")) {
                position += 1
            }
            if let month = month(at: 0) {
                position += 1
                if case .mark(let mark) = piece(), Reader.separators.contains(mark) || mark == UInt8(ascii: ",") { position += 1 }
                guard case .number(let last, let lastDigits) = piece() else { return false }
                position += 1
                if digits == 4 { return set(first, month, last) }
                guard let year = year(last, digits: lastDigits) else { return false }
                return set(year, month, first)
            }
            guard let separator else {
                switch digits {
                case 8: return set(first / 10000, first / 100 % 100, first % 100)
                case 6: return set(first / 10000 < 50 ? 2000 + first / 10000 : 1900 + first / 10000, first / 100 % 100, first % 100)
                case 4: return set(first, 1, 1)
                default: return false
                }
            }
            guard case .number(let second, _) = piece() else { return false }
            position += 1
            guard piece() == .mark(separator), case .number(let third, let thirdDigits) = piece(1) else { return false }
            position += 2
            if digits == 4 { return set(first, second, third) }
            switch order {
            case "dmy":
                guard let year = year(third, digits: thirdDigits) else { return false }
                return set(year, second, first)
            case "ymd":
                guard let year = year(first, digits: digits) else { return false }
                return set(year, second, third)
            default:
                guard let year = year(third, digits: thirdDigits) else { return false }
                return set(year, first, second)
            }
        }
        private func month(at offset: Int) -> Int? {
            guard case .word(let word) = piece(offset), word.utf8.count >= 3 else { return nil }
            guard let index = TDSDate.monthNames.firstIndex(where: { $0.lowercased() == word || $0.prefix(3).lowercased() == word }) else { return nil }
            return index + 1
        }
        private mutating func set(_ year: Int, _ month: Int, _ day: Int) -> Bool {
            guard let date = try? TDSDate(year: year, month: month, day: day) else { return false }
            result.day = date
            return true
        }
    }
}
