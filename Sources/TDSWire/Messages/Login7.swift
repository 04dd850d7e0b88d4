public import NIOCore

/// LOGIN7 (MS-TDS 2.2.6.4): who the client is and what it wants.
///
/// ```
///   0 Length ULONG        4 TDSVersion ULONG     8 PacketSize ULONG    12 ClientProgVer ULONG
///  16 ClientPID ULONG    20 ConnectionID ULONG  24 OptionFlags1 BYTE   25 OptionFlags2 BYTE
///  26 TypeFlags BYTE     27 OptionFlags3 BYTE   28 ClientTimeZone LONG 32 ClientLCID ULONG
///  then offset and length (USHORT, USHORT), offsets from the first byte, lengths in UTF-16 units unless noted:
///  36 HostName  40 UserName  44 Password  48 AppName  52 ServerName  56 Extension (bytes)  60 CltIntName  64 Language
///  68 Database  72 ClientID, 6 bytes  78 SSPI (bytes)  82 AtchDBFile
///  from TDS 7.2 on: 86 ChangePassword  90 cbSSPILong ULONG
///  then the data; Extension's data is the ULONG offset of the feature list
/// ```
/// A description never shows a password, token or SSPI bytes.
public struct Login7: Hashable, Sendable {
    public var version: TDSVersion
    /// The packet size that the client wants, in bytes with header; 0 leaves it to the server.
    public var packetSize: UInt32
    public var clientProgramVersion: UInt32
    public var clientPID: UInt32
    /// Of the primary connection, where this one is a second one.
    public var connectionID: UInt32
    public var options1: LoginOptions1
    public var options2: LoginOptions2
    public var typeFlags: LoginTypeFlags
    /// ``LoginOptions3/extension`` and ``LoginOptions3/changePassword`` are added when written, as ``features`` and ``newPassword`` ask for.
    public var options3: LoginOptions3
    /// Minutes from UTC; no server uses it.
    public var timeZone: Int32
    /// The client's locale id, for messages' language where none is named.
    public var lcid: UInt32
    public var hostName: String
    public var userName: String
    public var password: String
    public var applicationName: String
    public var serverName: String
    /// CltIntName: the library's name.
    public var libraryName: String
    public var language: String
    public var database: String
    /// ClientID: usually a MAC address; six bytes.
    public var clientID: [UInt8]
    /// First bytes of an integrated authentication.
    public var sspi: ByteBuffer?
    /// A database file to attach.
    public var attachDatabaseFile: String
    /// A new password to be set by this login.
    public var newPassword: String
    /// The feature extensions, in order.
    public var features: [FeatureRequest]

    public init(
        version: TDSVersion = .v7_4, packetSize: UInt32 = 4096, clientProgramVersion: UInt32 = 0, clientPID: UInt32 = 0, connectionID: UInt32 = 0,
        options1: LoginOptions1 = [.useDB, .initialDatabaseFatal, .setLanguage], options2: LoginOptions2 = [.initialLanguageFatal, .odbc],
        typeFlags: LoginTypeFlags = [], options3: LoginOptions3 = .unknownCollationHandling, timeZone: Int32 = 0, lcid: UInt32 = 0x0409,
        hostName: String = "", userName: String = "", password: String = "", applicationName: String = "", serverName: String = "",
        libraryName: String = "", language: String = "", database: String = "", clientID: [UInt8] = [0, 0, 0, 0, 0, 0], sspi: ByteBuffer? = nil,
        attachDatabaseFile: String = "", newPassword: String = "", features: [FeatureRequest] = []
    ) {
        self.version = version
        self.packetSize = packetSize
        self.clientProgramVersion = clientProgramVersion
        self.clientPID = clientPID
        self.connectionID = connectionID
        self.options1 = options1
        self.options2 = options2
        self.typeFlags = typeFlags
        self.options3 = options3
        self.timeZone = timeZone
        self.lcid = lcid
        self.hostName = hostName
        self.userName = userName
        self.password = password
        self.applicationName = applicationName
        self.serverName = serverName
        self.libraryName = libraryName
        self.language = language
        self.database = database
        self.clientID = clientID
        self.sspi = sspi
        self.attachDatabaseFile = attachDatabaseFile
        self.newPassword = newPassword
        self.features = features
    }

    /// The feature with this id, if the client asks for it.
    public func feature(_ id: FeatureID) -> FeatureRequest? { features.first { $0.id == id } }

    /// Length of the fixed part before TDS 7.2, and from it on.
    static let shortHeader = 86
    static let longHeader = 94
    /// MS-TDS: names and passwords have at most 128 UTF-16 units, file names 260.
    static let nameLimit = 128
    static let fileLimit = 260
}

/// A feature extension of LOGIN7 as it stands on the wire: FeatureOpt (MS-TDS 2.2.6.4).
public struct FeatureRequest: Hashable, Sendable, CustomStringConvertible {
    public var id: FeatureID
    public var data: ByteBuffer

    public init(_ id: FeatureID, data: ByteBuffer = ByteBuffer()) {
        self.id = id
        self.data = data
    }

    /// Never the data: it may be a token.
    public var description: String { "\(id), \(data.readableBytes) bytes" }
}

extension Login7: CustomStringConvertible, CustomReflectable {
    public var description: String {
        var parts = ["LOGIN7 \(version)", "user '\(userName)'", "database '\(database)'", "server '\(serverName)'", "application '\(applicationName)'"]
        parts.append("host '\(hostName)'")
        if !password.isEmpty { parts.append("password (redacted)") }
        if !newPassword.isEmpty { parts.append("new password (redacted)") }
        if let sspi { parts.append("SSPI \(sspi.readableBytes) bytes") }
        if !features.isEmpty { parts.append(features.map(\.description).joined(separator: ", ")) }
        return parts.joined(separator: ", ")
    }

    /// `dump` and a debugger's default show no more than the description.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

/// The obfuscation of passwords in LOGIN7: nibbles swapped, then XOR 0xA5 (MS-TDS 2.2.6.4). It hides nothing from anybody.
public enum PasswordObfuscation {
    public static func obfuscate(_ byte: UInt8) -> UInt8 { (byte << 4 | byte >> 4) ^ 0xA5 }

    public static func reveal(_ byte: UInt8) -> UInt8 {
        let plain = byte ^ 0xA5
        return plain << 4 | plain >> 4
    }
}

extension ByteBuffer {
    /// Reads a whole LOGIN7 message.
    ///
    /// - Throws: ``WireError/Code/truncated`` if the fixed part is not whole, ``WireError/Code/unsupportedVersion``,
    ///   ``WireError/Code/malformed`` if the length is not the message's or a field lies outside it or is longer than allowed.
    public mutating func readLogin7() throws(WireError) -> Login7 {
        let message = self
        let length = Int(try readLE("LOGIN7 Length", as: UInt32.self))
        guard length >= Login7.shortHeader else { throw WireError(.malformed, "LOGIN7 Length", "\(length)") }
        guard length <= message.readableBytes else { throw WireError(.truncated, "LOGIN7") }
        guard length == message.readableBytes else { throw WireError(.malformed, "LOGIN7 Length", "bytes behind the message") }
        var login = Login7()
        login.version = TDSVersion(rawValue: try readLE("LOGIN7 TDSVersion"))
        guard login.version >= .v7_0 else { throw WireError(.unsupportedVersion, "LOGIN7 TDSVersion") }
        login.packetSize = try readLE("LOGIN7 PacketSize")
        login.clientProgramVersion = try readLE("LOGIN7 ClientProgVer")
        login.clientPID = try readLE("LOGIN7 ClientPID")
        login.connectionID = try readLE("LOGIN7 ConnectionID")
        login.options1 = LoginOptions1(rawValue: try readLE("LOGIN7 OptionFlags1"))
        login.options2 = LoginOptions2(rawValue: try readLE("LOGIN7 OptionFlags2"))
        login.typeFlags = LoginTypeFlags(rawValue: try readLE("LOGIN7 TypeFlags"))
        login.options3 = LoginOptions3(rawValue: try readLE("LOGIN7 OptionFlags3"))
        login.timeZone = try readLE("LOGIN7 ClientTimeZone")
        login.lcid = try readLE("LOGIN7 ClientLCID")

        var fields = LoginFields(message: message)
        login.hostName = try fields.text(&self, "HostName")
        login.userName = try fields.text(&self, "UserName")
        login.password = try fields.text(&self, "Password", obfuscated: true)
        login.applicationName = try fields.text(&self, "AppName")
        login.serverName = try fields.text(&self, "ServerName")
        let extensionField = try fields.place(&self)
        login.libraryName = try fields.text(&self, "CltIntName")
        login.language = try fields.text(&self, "Language")
        login.database = try fields.text(&self, "Database")
        login.clientID = Array(try readWireSlice(6, "LOGIN7 ClientID").readableBytesView)
        var sspi = try fields.place(&self)
        login.attachDatabaseFile = try fields.text(&self, "AtchDBFile", limit: Login7.fileLimit)
        // Clients of TDS 7.0 and 7.1 have their data where later ones have two more fields.
        if login.version.isYukonOrLater || (length >= Login7.longHeader && fields.lowestOffset >= Login7.longHeader) {
            guard length >= Login7.longHeader else { throw WireError(.malformed, "LOGIN7 Length", "\(length)") }
            fields.header = Login7.longHeader
            login.newPassword = try fields.text(&self, "ChangePassword", obfuscated: true)
            let long = try readLE("LOGIN7 cbSSPILong", as: UInt32.self)
            if sspi.length == 0xFFFF, long > 0 {
                guard let long = Int(exactly: long) else { throw WireError(.malformed, "LOGIN7 cbSSPILong") }
                sspi.length = long
            }
        } else {
            fields.header = Login7.shortHeader
        }
        guard fields.lowestOffset >= fields.header else { throw WireError(.malformed, "LOGIN7", "a field inside the fixed part") }
        if sspi.length > 0 { login.sspi = try fields.bytes(sspi.offset, sspi.length, "SSPI") }
        if login.options3.contains(.extension) {
            guard extensionField.length >= 4 else { throw WireError(.malformed, "LOGIN7 Extension") }
            var pointer = try fields.bytes(extensionField.offset, 4, "Extension")
            let offset = Int(try pointer.readLE("LOGIN7 Extension", as: UInt32.self))
            guard offset >= fields.header, offset < length else { throw WireError(.malformed, "LOGIN7 Extension", "the features lie outside the message") }
            var list = try fields.bytes(offset, length - offset, "FeatureExt")
            do throws(WireError) {
                login.features = try list.readFeatureRequests()
            } catch where error.code == .truncated {
                throw WireError(.malformed, error.element, "outside the message")
            }
        }
        moveReaderIndex(to: message.writerIndex)
        return login
    }

    /// Writes a whole LOGIN7 message.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if a name, password or the message is too long, or ``Login7/clientID`` has not six bytes.
    public mutating func writeLogin7(_ login: Login7) throws(WireError) {
        let start = writerIndex
        let long = login.version.isYukonOrLater
        let header = long ? Login7.longHeader : Login7.shortHeader
        guard login.clientID.count == 6 else { throw WireError(.valueOutOfRange, "LOGIN7 ClientID", "six bytes") }
        var options3 = login.options3
        if !login.features.isEmpty { options3.insert(.extension) }
        if !login.newPassword.isEmpty { options3.insert(.changePassword) }
        if !long, !login.newPassword.isEmpty || options3.contains(.extension) {
            throw WireError(.valueOutOfRange, "LOGIN7", "no new password and no features before TDS 7.2")
        }

        var data = ByteBuffer()
        writeLE(UInt32(0))
        writeLE(login.version.rawValue)
        writeLE(login.packetSize)
        writeLE(login.clientProgramVersion)
        writeLE(login.clientPID)
        writeLE(login.connectionID)
        writeLE(login.options1.rawValue)
        writeLE(login.options2.rawValue)
        writeLE(login.typeFlags.rawValue)
        writeLE(options3.rawValue)
        writeLE(login.timeZone)
        writeLE(login.lcid)
        func place(_ fields: inout ByteBuffer, _ length: Int, _ name: String) throws(WireError) {
            guard let offset = UInt16(exactly: header + data.readableBytes), let length = UInt16(exactly: length) else {
                throw WireError(.valueOutOfRange, "LOGIN7 \(name)", "does not fit")
            }
            fields.writeLE(offset)
            fields.writeLE(length)
        }
        func text(_ fields: inout ByteBuffer, _ text: String, _ name: String, limit: Int = Login7.nameLimit, obfuscated: Bool = false) throws(WireError) {
            let units = text.utf16.count
            guard units <= limit else { throw WireError(.valueOutOfRange, "LOGIN7 \(name)", "more than \(limit) UTF-16 code units") }
            try place(&fields, units, name)
            for unit in text.utf16 {
                for byte in [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit >> 8)] {
                    data.writeLE(obfuscated ? PasswordObfuscation.obfuscate(byte) : byte)
                }
            }
        }
        try text(&self, login.hostName, "HostName")
        try text(&self, login.userName, "UserName")
        try text(&self, login.password, "Password", obfuscated: true)
        try text(&self, login.applicationName, "AppName")
        try text(&self, login.serverName, "ServerName")
        var pointer: Int?
        if options3.contains(.extension) {
            try place(&self, 4, "Extension")
            pointer = data.writerIndex
            data.writeLE(UInt32(0))
        } else {
            try place(&self, 0, "Extension")
        }
        try text(&self, login.libraryName, "CltIntName")
        try text(&self, login.language, "Language")
        try text(&self, login.database, "Database")
        writeBytes(login.clientID)
        let sspi = login.sspi ?? ByteBuffer()
        guard long || sspi.readableBytes < 0xFFFF else { throw WireError(.valueOutOfRange, "LOGIN7 SSPI") }
        try place(&self, min(sspi.readableBytes, 0xFFFF), "SSPI")
        // The longest field comes last of those with a 16-bit offset, so that it does not push the others beyond it.
        var tail = ByteBuffer()
        let place2 = writerIndex - 4
        try text(&self, login.attachDatabaseFile, "AtchDBFile", limit: Login7.fileLimit)
        if long {
            try text(&self, login.newPassword, "ChangePassword", obfuscated: true)
            writeLE(sspi.readableBytes >= 0xFFFF ? UInt32(truncatingIfNeeded: sspi.readableBytes) : 0)
        }
        guard let sspiOffset = UInt16(exactly: header + data.readableBytes) else { throw WireError(.valueOutOfRange, "LOGIN7", "does not fit") }
        setInteger(sspiOffset, at: place2, endianness: .little)
        tail.writeImmutableBuffer(sspi)
        if let pointer {
            data.setInteger(UInt32(truncatingIfNeeded: header + data.readableBytes + tail.readableBytes), at: pointer, endianness: .little)
            try tail.writeFeatureRequests(login.features)
        }
        writeImmutableBuffer(data)
        writeImmutableBuffer(tail)
        guard let length = UInt32(exactly: writerIndex - start), length <= 0x7FFF_FFFF else { throw WireError(.valueOutOfRange, "LOGIN7 Length") }
        setInteger(length, at: start, endianness: .little)
    }

    /// Reads a FeatureExt list up to its terminator.
    mutating func readFeatureRequests() throws(WireError) -> [FeatureRequest] {
        var features: [FeatureRequest] = []
        while true {
            let id = FeatureID(rawValue: try readLE("LOGIN7 FeatureId"))
            if id == .terminator { return features }
            let length = Int(try readLE("LOGIN7 FeatureDataLen", as: UInt32.self))
            features.append(FeatureRequest(id, data: try readWireSlice(length, "LOGIN7 FeatureData")))
        }
    }

    mutating func writeFeatureRequests(_ features: [FeatureRequest]) throws(WireError) {
        for feature in features {
            guard feature.id != .terminator else { throw WireError(.valueOutOfRange, "LOGIN7 FeatureId") }
            writeLE(feature.id.rawValue)
            writeLE(UInt32(truncatingIfNeeded: feature.data.readableBytes))
            writeImmutableBuffer(feature.data)
        }
        writeLE(FeatureID.terminator.rawValue)
    }
}

/// Reads LOGIN7's fields that consist of an offset and a length.
private struct LoginFields {
    let message: ByteBuffer
    /// Where the fixed part ends.
    var header = Login7.shortHeader
    /// The smallest offset of a field that isn't empty.
    var lowestOffset = Int.max

    mutating func place(_ buffer: inout ByteBuffer) throws(WireError) -> (offset: Int, length: Int) {
        let offset = Int(try buffer.readLE("LOGIN7 offset", as: UInt16.self))
        let length = Int(try buffer.readLE("LOGIN7 length", as: UInt16.self))
        if length > 0 { lowestOffset = min(lowestOffset, offset) }
        return (offset, length)
    }

    mutating func text(
        _ buffer: inout ByteBuffer, _ name: String, limit: Int = Login7.nameLimit, obfuscated: Bool = false
    ) throws(WireError) -> String {
        let (offset, units) = try place(&buffer)
        guard units > 0 else { return "" }
        guard units <= limit else { throw WireError(.malformed, "LOGIN7 \(name)", "more than \(limit) UTF-16 code units") }
        let bytes = try bytes(offset, units * 2, name)
        return obfuscated
            ? String(utf16LE: bytes.readableBytesView.map(PasswordObfuscation.reveal)) : String(utf16LE: bytes.readableBytesView)
    }

    func bytes(_ offset: Int, _ length: Int, _ name: String) throws(WireError) -> ByteBuffer {
        guard offset <= message.readableBytes, length <= message.readableBytes - offset,
            let slice = message.getSlice(at: message.readerIndex + offset, length: length)
        else { throw WireError(.malformed, "LOGIN7 \(name)", "outside the message") }
        return slice
    }
}
