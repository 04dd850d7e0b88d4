public import NIOCore

/// Turns text that comes in pieces into UTF-8: the chunks of a large value, which may end anywhere, even inside a character.
///
/// ```swift
/// var decoder = TextDecoder(column.typeInfo)
/// decoder.decode(chunk, into: &buffer)   // for every chunk
/// decoder.finish(into: &buffer)          // at the value's end; the decoder is then as new
/// ```
public struct TextDecoder: Sendable {
    enum Encoding: Sendable {
        case utf16
        case codePage(CodePage)
    }

    let encoding: Encoding
    /// The beginning of a character of which the rest is still to come: at most three bytes.
    private var carry: [UInt8] = []

    /// A decoder for text of `type`: UTF-16 for nchar, nvarchar, ntext and xml, UTF-8 for json, the collation's code page for the rest.
    public init(_ type: TypeInfo) {
        encoding = type.isUTF16 ? .utf16 : .codePage(type.dataType == .json ? .utf8 : CodePage(for: type.collation))
    }

    public init(_ codePage: CodePage) { encoding = .codePage(codePage) }

    /// Appends `bytes` to `buffer` as UTF-8, but for an unfinished character at their end.
    public mutating func decode(_ bytes: RawSpan, into buffer: inout ByteBuffer) {
        var start = 0
        let count = bytes.byteCount
        while !carry.isEmpty, start < count {
            carry.append(bytes.unsafeLoad(fromByteOffset: start, as: UInt8.self))
            start += 1
            let pending = carry
            if unfinished(pending.span.bytes) == 0 { flush(into: &buffer) }
        }
        guard start < count else { return }
        let end = count - unfinished(bytes.extracting(start..<count))
        if end > start { append(bytes.extracting(start..<end), to: &buffer) }
        for index in max(start, end)..<count { carry.append(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)) }
    }

    /// Ends the text; half a character at its end becomes U+FFFD.
    public mutating func finish(into buffer: inout ByteBuffer) {
        if !carry.isEmpty { flush(into: &buffer) }
    }

    private mutating func flush(into buffer: inout ByteBuffer) {
        let bytes = carry
        carry = []
        append(bytes.span.bytes, to: &buffer)
    }

    private func append(_ bytes: RawSpan, to buffer: inout ByteBuffer) {
        switch encoding {
        case .utf16: UTF16Text.decode(bytes, into: &buffer)
        case .codePage(let page): page.decode(bytes, into: &buffer)
        }
    }

    /// How many bytes at the end of `bytes` begin a character that isn't complete.
    private func unfinished(_ bytes: RawSpan) -> Int {
        let count = bytes.byteCount
        switch encoding {
        case .utf16:
            let odd = count & 1
            guard count - odd >= 2 else { return odd }
            let last = bytes.unsafeLoad(fromByteOffset: count - odd - 1, as: UInt8.self)
            return last & 0xFC == 0xD8 ? 2 + odd : odd
        case .codePage(.utf8):
            // A lead byte among the last three that announces more than there is.
            for back in 1...3 where back <= count {
                let byte = bytes.unsafeLoad(fromByteOffset: count - back, as: UInt8.self)
                if byte & 0xC0 == 0x80 { continue }
                let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
                return length > back ? back : 0
            }
            return 0
        case .codePage(let page):
            // A byte that isn't a lead can't begin a pair, so behind it a character begins: of the lead bytes at the end, two and two are
            // pairs, and one may be left over.
            guard case .double(let table) = page.kind else { return 0 }
            var leads = 0
            while leads < count, table.isLead(bytes.unsafeLoad(fromByteOffset: count - leads - 1, as: UInt8.self)) { leads += 1 }
            return leads & 1
        }
    }
}
