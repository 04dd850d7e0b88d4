/// The little of XML that storing it needs: SQL Server keeps the infoset, so a declaration goes, attributes get double quotes, and an
/// element without content becomes an empty-element tag. What isn't well-formed is refused.
enum XMLText {
    static func normalised(_ source: String) throws -> String {
        let bytes = Array(source.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var position = 0
        var open: [[UInt8]] = []
        /// Where the text since the last tag begins in `out`, and whether it is only blanks: those between tags are dropped.
        var textStart = 0
        var onlyBlanks = true
        func fail(_ what: String) -> SQLServerMessage {
            SQLServerMessage(number: 9400, severity: 16, text: "XML parsing: line 1, character \(position + 1), \(what)")
        }
        func find(_ needle: String, from start: Int) -> Int? {
            let wanted = Array(needle.utf8)
            var index = start
            while index + wanted.count <= bytes.count {
                if bytes[index..<(index + wanted.count)].elementsEqual(wanted) { return index }
                index += 1
            }
            return nil
        }
        func dropBlanks() {
            if onlyBlanks { out.removeSubrange(textStart...) }
        }
        while position < bytes.count {
            let c = bytes[position]
            guard c == UInt8(ascii: "<") else {
                if c != 32, c != 9, c != 10, c != 13 { onlyBlanks = false }
                if c == UInt8(ascii: ">") { out += Array("&gt;".utf8) } else { out.append(c) }
                position += 1
                continue
            }
            let rest = bytes[position...]
            if rest.starts(with: Array("<?xml ".utf8)) {
                guard let end = find("?>", from: position) else { throw fail("unexpected end of input") }
                position = end + 2
                continue
            }
            dropBlanks()
            if rest.starts(with: Array("<!--".utf8)) {
                guard let end = find("-->", from: position + 4) else { throw fail("unexpected end of input") }
                out += bytes[position..<(end + 3)]
                position = end + 3
            } else if rest.starts(with: Array("<![CDATA[".utf8)) {
                guard let end = find("]]>", from: position) else { throw fail("unexpected end of input") }
                for byte in bytes[(position + 9)..<end] {
                    switch byte {
                    case UInt8(ascii: "<"): out += Array("&lt;".utf8)
                    case UInt8(ascii: ">"): out += Array("&gt;".utf8)
                    case UInt8(ascii: "&"): out += Array("&amp;".utf8)
                    default: out.append(byte)
                    }
                }
                position = end + 3
                onlyBlanks = false
                continue
            } else if rest.starts(with: Array("<?".utf8)) {
                guard let end = find("?>", from: position) else { throw fail("unexpected end of input") }
                out += bytes[position..<(end + 2)]
                position = end + 2
            } else if rest.starts(with: Array("</".utf8)) {
                guard let end = find(">", from: position) else { throw fail("unexpected end of input") }
                let name = Array(bytes[(position + 2)..<end].filter { $0 > 32 })
                guard let last = open.popLast() else { throw fail("illegal qualified name character") }
                guard last == name else {
                    throw SQLServerMessage(number: 9436, severity: 16, text: "XML parsing: line 1, character \(end), end tag does not match start tag")
                }
                if out.last == UInt8(ascii: ">"), out.count == textStart, let tagStart = out.lastIndex(of: UInt8(ascii: "<")),
                    out[(tagStart + 1)...].starts(with: name), out[tagStart + 1] != UInt8(ascii: "/"), out[out.count - 2] != UInt8(ascii: "/") {
                    out.removeLast()
                    out += Array("/>".utf8)
                } else {
                    out += Array("</".utf8) + name + [UInt8(ascii: ">")]
                }
                position = end + 1
            } else {
                position += 1
                let start = position
                while position < bytes.count, bytes[position] > 32, bytes[position] != UInt8(ascii: ">"), bytes[position] != UInt8(ascii: "/") { position += 1 }
                let name = Array(bytes[start..<position])
                guard let first = name.first, first == UInt8(ascii: "_") || first == UInt8(ascii: ":") || (first | 0x20 >= 97 && first | 0x20 <= 122) || first >= 0x80 else {
                    throw SQLServerMessage(number: 9455, severity: 16, text: "XML parsing: line 1, character \(start + 1), illegal qualified name character")
                }
                out.append(UInt8(ascii: "<"))
                out += name
                while true {
                    while position < bytes.count, bytes[position] <= 32 { position += 1 }
                    guard position < bytes.count else { throw fail("unexpected end of input") }
                    if bytes[position] == UInt8(ascii: ">") {
                        out.append(UInt8(ascii: ">"))
                        open.append(name)
                        position += 1
                        break
                    }
                    if bytes[position] == UInt8(ascii: "/") {
                        guard position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: ">") else { throw fail("illegal qualified name character") }
                        out += Array("/>".utf8)
                        position += 2
                        break
                    }
                    let attribute = position
                    while position < bytes.count, bytes[position] != UInt8(ascii: "="), bytes[position] > 32 { position += 1 }
                    out.append(32)
                    out += bytes[attribute..<position]
                    while position < bytes.count, bytes[position] <= 32 { position += 1 }
                    guard position < bytes.count, bytes[position] == UInt8(ascii: "=") else { throw fail("equal expected") }
                    position += 1
                    while position < bytes.count, bytes[position] <= 32 { position += 1 }
                    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") || bytes[position] == UInt8(ascii: "'") else {
                        throw fail("A string literal was expected")
                    }
                    let quote = bytes[position]
                    position += 1
                    out += Array("=\"".utf8)
                    while position < bytes.count, bytes[position] != quote {
                        if bytes[position] == UInt8(ascii: "\"") { out += Array("&quot;".utf8) } else { out.append(bytes[position]) }
                        position += 1
                    }
                    guard position < bytes.count else { throw fail("unexpected end of input") }
                    position += 1
                    out.append(UInt8(ascii: "\""))
                }
            }
            textStart = out.count
            onlyBlanks = true
        }
        dropBlanks()
        if !open.isEmpty { throw fail("unexpected end of input") }
        return String(decoding: out, as: UTF8.self)
    }
}
