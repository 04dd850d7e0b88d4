public import NIOCore
public import TDSWire

/// Overwrites what a client authenticates with, without changing any length, so that the packets stay what they were: LOGIN7's
/// passwords (they then read as asterisks), its SSPI bytes and tokens; SSPI and FEDAUTH messages; the server's SSPI tokens are kept,
/// which are of no use without the client's answers.
///
/// The lengths of passwords remain visible, and so does everything inside SQL text (`CREATE LOGIN … WITH PASSWORD`).
public enum CredentialBlanking {
    /// Whether messages of this type hold credentials.
    public static func concerns(_ type: PacketType) -> Bool {
        switch type {
        case .login7, .sspi, .federatedAuthenticationToken: true
        default: false
        }
    }

    /// Blanks a whole message of a client. What does not decode is blanked all but its first bytes: better too much than too little.
    public static func blank(_ payload: ByteBuffer, type: PacketType) -> ByteBuffer {
        switch type {
        case .login7: blankLogin(payload)
        case .sspi: blankRange(payload, 0, payload.readableBytes)
        // Both lengths stay, so that it is still a FEDAUTH message.
        case .federatedAuthenticationToken: blankRange(payload, 8, payload.readableBytes)
        default: payload
        }
    }

    private static func blankLogin(_ payload: ByteBuffer) -> ByteBuffer {
        var reader = payload
        guard let login = try? reader.readLogin7() else { return blankRange(payload, 36, payload.readableBytes) }
        var payload = ByteBuffer(payload.readableBytesView)
        // The places of the fields, as Login7 lays them out; they were checked by reading it.
        func place(_ field: Int) -> (offset: Int, length: Int) {
            let offset: UInt16 = payload.getInteger(at: field, endianness: .little) ?? 0
            let length: UInt16 = payload.getInteger(at: field + 2, endianness: .little) ?? 0
            return (Int(offset), Int(length))
        }
        func blankPassword(_ field: Int) {
            let (offset, units) = place(field)
            for unit in 0..<units {
                payload.setInteger(PasswordObfuscation.obfuscate(0x2A), at: offset + 2 * unit)
                payload.setInteger(PasswordObfuscation.obfuscate(0x00), at: offset + 2 * unit + 1)
            }
        }
        blankPassword(44)
        if !login.newPassword.isEmpty { blankPassword(86) }
        if let sspi = login.sspi { payload = blankRange(payload, place(78).offset, place(78).offset + sspi.readableBytes) }
        if login.options3.contains(.extension), let list: UInt32 = payload.getInteger(at: place(56).offset, endianness: .little) {
            var offset = Int(list)
            for feature in login.features {
                offset += 5
                // Options and the token's length stay.
                if feature.id == .federatedAuthentication { payload = blankRange(payload, offset + 5, offset + feature.data.readableBytes) }
                offset += feature.data.readableBytes
            }
        }
        return payload
    }

    private static func blankRange(_ payload: ByteBuffer, _ start: Int, _ end: Int) -> ByteBuffer {
        var payload = payload
        let end = min(end, payload.readableBytes)
        guard start < end else { return payload }
        payload.setRepeatingByte(0, count: end - start, at: payload.readerIndex + start)
        return payload
    }
}
