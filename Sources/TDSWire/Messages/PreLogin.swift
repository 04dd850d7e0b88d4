public import NIOCore

/// PRELOGIN (MS-TDS 2.2.6.5): the first message of both ends, about versions, encryption and features of the connection.
///
/// ```
/// option headers, then 0xFF, then the options' data
/// +--------+----------------+--------------+         +------+----------------
/// | Option | Offset, BE     | Length, BE   |  …      | 0xFF | data …           Offset counts from the message's first byte
/// | BYTE   | USHORT         | USHORT       |         | BYTE |
/// +--------+----------------+--------------+         +------+----------------
/// ```
/// The client sends it in packets of type 0x12, the server answers in packets of type 0x04. In TDS 8.0 it follows the TLS handshake.
public struct PreLogin: Hashable, Sendable {
    /// VERSION (0x00): the sender's version.
    public var version: Version
    /// ENCRYPTION (0x01).
    public var encryption: Encryption?
    /// INSTOPT (0x02).
    public var instance: Instance?
    /// THREADID (0x03): the client's thread, for the server's debugging. A server sends the option without data: nil inside.
    public var threadID: ThreadID?
    /// MARS (0x04): whether several requests may be active at a time.
    public var mars: Bool?
    /// TRACEID (0x05), from clients only.
    public var traceID: TraceID?
    /// FEDAUTHREQUIRED (0x06): from the client, whether it can do it; from the server, whether LOGIN7 has to ask for it.
    /// Kept as a byte: 0 and 1 are defined.
    public var fedAuthRequired: UInt8?
    /// NONCEOPT (0x07): 32 random bytes that the other end has to sign.
    public var nonce: ByteBuffer?
    /// Options that MS-TDS does not name, in the order they came.
    public var unknownOptions: [UnknownOption]

    public init(
        version: Version = Version(major: 0, minor: 0, build: 0), encryption: Encryption? = nil, instance: Instance? = nil,
        threadID: ThreadID? = nil, mars: Bool? = nil, traceID: TraceID? = nil, fedAuthRequired: UInt8? = nil, nonce: ByteBuffer? = nil,
        unknownOptions: [UnknownOption] = []
    ) {
        self.version = version
        self.encryption = encryption
        self.instance = instance
        self.threadID = threadID
        self.mars = mars
        self.traceID = traceID
        self.fedAuthRequired = fedAuthRequired
        self.nonce = nonce
        self.unknownOptions = unknownOptions
    }

    /// Which end sent it: the same option has different data from either.
    public enum Sender: Hashable, Sendable { case client, server }

    /// UL_VERSION, big-endian, and US_SUBBUILD.
    public struct Version: Hashable, Sendable {
        public var major: UInt8
        public var minor: UInt8
        public var build: UInt16
        public var subBuild: UInt16

        public init(major: UInt8, minor: UInt8, build: UInt16, subBuild: UInt16 = 0) {
            self.major = major
            self.minor = minor
            self.build = build
            self.subBuild = subBuild
        }

        public var serverVersion: ServerVersion { ServerVersion(major: major, minor: minor, build: build) }
    }

    /// B_FENCRYPTION: what the sender can and wants. See ``EncryptionNegotiation``.
    public struct Encryption: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// ENCRYPT_OFF: possible, but not wanted beyond the login.
        public static let off = Encryption(rawValue: 0x00)
        /// ENCRYPT_ON: wanted for everything.
        public static let on = Encryption(rawValue: 0x01)
        /// ENCRYPT_NOT_SUP: not possible.
        public static let notSupported = Encryption(rawValue: 0x02)
        /// ENCRYPT_REQ: required for everything.
        public static let required = Encryption(rawValue: 0x03)

        /// ENCRYPT_EXT: the client asks for the extended protection of TDS 7.4's later revisions.
        public static let extendedBit: UInt8 = 0x20
        /// ENCRYPT_CLIENT_CERT: the client wants to authenticate by its certificate.
        public static let clientCertificateBit: UInt8 = 0x80

        /// The value without the extended and certificate bits.
        public var base: Encryption { Encryption(rawValue: rawValue & ~(Self.extendedBit | Self.clientCertificateBit)) }
        public var usesClientCertificate: Bool { rawValue & Self.clientCertificateBit != 0 }
        public var isExtended: Bool { rawValue & Self.extendedBit != 0 }

        /// This value with ENCRYPT_CLIENT_CERT.
        public var withClientCertificate: Encryption { Encryption(rawValue: rawValue | Self.clientCertificateBit) }

        public var description: String {
            let name =
                switch base {
                case .off: "off"
                case .on: "on"
                case .notSupported: "not supported"
                case .required: "required"
                default: "0x" + String(base.rawValue, radix: 16)
                }
            return name + (isExtended ? ", extended" : "") + (usesClientCertificate ? ", client certificate" : "")
        }
    }

    /// INSTOPT: the name of the instance that the client believes to be talking to, and whether it is.
    public enum Instance: Hashable, Sendable {
        /// From a client: the name in the client's code page, without the terminating zero. Empty asks for no check.
        case name(ByteBuffer)
        /// From a server: whether the name was right.
        case matches(Bool)
    }

    /// THREADID: from a client a ULONG, from a server nothing.
    public enum ThreadID: Hashable, Sendable {
        case id(UInt32)
        case absent
    }

    /// TRACEID: GUIDs that appear in the server's traces, as their 16 wire bytes.
    public struct TraceID: Hashable, Sendable {
        /// GUID_CONNID.
        public var connectionID: ByteBuffer
        /// ACTIVITYID's GUID and sequence number.
        public var activityID: ByteBuffer
        public var activitySequence: UInt32

        public init(connectionID: ByteBuffer, activityID: ByteBuffer, activitySequence: UInt32) {
            self.connectionID = connectionID
            self.activityID = activityID
            self.activitySequence = activitySequence
        }
    }

    public struct UnknownOption: Hashable, Sendable {
        public var token: UInt8
        public var data: ByteBuffer

        public init(token: UInt8, data: ByteBuffer) {
            self.token = token
            self.data = data
        }
    }

    fileprivate enum Option {
        static let version: UInt8 = 0, encryption: UInt8 = 1, instance: UInt8 = 2, threadID: UInt8 = 3, mars: UInt8 = 4
        static let traceID: UInt8 = 5, fedAuthRequired: UInt8 = 6, nonce: UInt8 = 7, terminator: UInt8 = 0xFF
    }
}

extension ByteBuffer {
    /// Reads a whole PRELOGIN message.
    ///
    /// - Throws: ``WireError/Code/truncated`` if the option headers have no end, ``WireError/Code/malformed`` if an option lies
    ///   outside the message, comes twice, has the wrong length, or VERSION is missing.
    public mutating func readPreLogin(from sender: PreLogin.Sender) throws(WireError) -> PreLogin {
        let message = self
        var result = PreLogin()
        var seen: Set<UInt8> = []
        while true {
            let token = try readLE("PRELOGIN option", as: UInt8.self)
            if token == PreLogin.Option.terminator { break }
            let offset = Int(try readBE("PRELOGIN offset", as: UInt16.self))
            let length = Int(try readBE("PRELOGIN length", as: UInt16.self))
            guard seen.insert(token).inserted else { throw WireError(.malformed, "PRELOGIN option", "option \(token) twice") }
            var data = ByteBuffer()
            if length > 0 {
                guard offset + length <= message.readableBytes, let slice = message.getSlice(at: message.readerIndex + offset, length: length) else {
                    throw WireError(.malformed, "PRELOGIN option", "option \(token) outside the message")
                }
                data = slice
            }
            do throws(WireError) {
                try result.read(token, &data, from: sender)
            } catch where error.code == .truncated {
                throw WireError(.malformed, error.element, "too short")
            }
        }
        guard seen.contains(PreLogin.Option.version) else { throw WireError(.malformed, "PRELOGIN", "no VERSION") }
        moveReaderIndex(to: message.writerIndex)
        return result
    }

    /// Writes a whole PRELOGIN message, its options in the order of their numbers.
    ///
    /// - Throws: ``WireError/Code/valueOutOfRange`` if the nonce or a GUID has the wrong length or the message is longer than 64 KiB.
    public mutating func writePreLogin(_ message: PreLogin) throws(WireError) {
        var options: [(UInt8, ByteBuffer)] = []
        func add(_ token: UInt8, _ body: (inout ByteBuffer) -> Void) {
            var data = ByteBuffer()
            body(&data)
            options.append((token, data))
        }
        add(PreLogin.Option.version) {
            $0.writeLE(message.version.major)
            $0.writeLE(message.version.minor)
            $0.writeBE(message.version.build)
            $0.writeBE(message.version.subBuild)
        }
        if let encryption = message.encryption { add(PreLogin.Option.encryption) { $0.writeLE(encryption.rawValue) } }
        switch message.instance {
        case .name(let name):
            add(PreLogin.Option.instance) {
                $0.writeImmutableBuffer(name)
                $0.writeLE(UInt8(0))
            }
        case .matches(let matches): add(PreLogin.Option.instance) { $0.writeLE(UInt8(matches ? 0 : 1)) }
        case nil: break
        }
        switch message.threadID {
        case .id(let id): add(PreLogin.Option.threadID) { $0.writeBE(id) }
        case .absent: add(PreLogin.Option.threadID) { _ in }
        case nil: break
        }
        if let mars = message.mars { add(PreLogin.Option.mars) { $0.writeLE(UInt8(mars ? 1 : 0)) } }
        if let trace = message.traceID {
            guard trace.connectionID.readableBytes == 16, trace.activityID.readableBytes == 16 else {
                throw WireError(.valueOutOfRange, "PRELOGIN TRACEID", "a GUID has 16 bytes")
            }
            add(PreLogin.Option.traceID) {
                $0.writeImmutableBuffer(trace.connectionID)
                $0.writeImmutableBuffer(trace.activityID)
                $0.writeLE(trace.activitySequence)
            }
        }
        if let required = message.fedAuthRequired { add(PreLogin.Option.fedAuthRequired) { $0.writeLE(required) } }
        if let nonce = message.nonce {
            guard nonce.readableBytes == 32 else { throw WireError(.valueOutOfRange, "PRELOGIN NONCEOPT", "a nonce has 32 bytes") }
            add(PreLogin.Option.nonce) { $0.writeImmutableBuffer(nonce) }
        }
        for option in message.unknownOptions { options.append((option.token, option.data)) }

        var offset = options.count * 5 + 1
        for (token, data) in options {
            guard let start = UInt16(exactly: offset), let length = UInt16(exactly: data.readableBytes) else {
                throw WireError(.valueOutOfRange, "PRELOGIN", "longer than 64 KiB")
            }
            writeLE(token)
            writeBE(start)
            writeBE(length)
            offset += data.readableBytes
        }
        writeLE(PreLogin.Option.terminator)
        for (_, data) in options { writeImmutableBuffer(data) }
    }
}

extension PreLogin {
    fileprivate mutating func read(_ token: UInt8, _ data: inout ByteBuffer, from sender: Sender) throws(WireError) {
        switch token {
        case Option.version:
            version = Version(
                major: try data.readLE("PRELOGIN VERSION"), minor: try data.readLE("PRELOGIN VERSION"), build: try data.readBE("PRELOGIN VERSION"),
                subBuild: try data.readBE("PRELOGIN VERSION"))
        case Option.encryption: encryption = Encryption(rawValue: try data.readLE("PRELOGIN ENCRYPTION"))
        case Option.instance:
            switch sender {
            case .client:
                // Zero-terminated; what follows the zero means nothing.
                let length = data.readableBytesView.firstIndex(of: 0).map { $0 - data.readerIndex } ?? data.readableBytes
                instance = .name(try data.readWireSlice(length, "PRELOGIN INSTOPT"))
            case .server: instance = data.readableBytes == 0 ? nil : .matches(try data.readLE("PRELOGIN INSTOPT", as: UInt8.self) == 0)
            }
            data.moveReaderIndex(to: data.writerIndex)
        case Option.threadID: threadID = data.readableBytes == 0 ? .absent : .id(try data.readBE("PRELOGIN THREADID"))
        case Option.mars: mars = try data.readLE("PRELOGIN MARS", as: UInt8.self) != 0
        case Option.traceID:
            // A server has nothing to say here, but some echo the option without data.
            guard data.readableBytes > 0 || sender == .client else { return }
            traceID = TraceID(
                connectionID: try data.readWireSlice(16, "PRELOGIN TRACEID"), activityID: try data.readWireSlice(16, "PRELOGIN TRACEID"),
                activitySequence: try data.readLE("PRELOGIN TRACEID"))
        case Option.fedAuthRequired: fedAuthRequired = try data.readLE("PRELOGIN FEDAUTHREQUIRED")
        case Option.nonce: nonce = try data.readWireSlice(32, "PRELOGIN NONCEOPT")
        default:
            unknownOptions.append(UnknownOption(token: token, data: data))
            return
        }
        guard data.readableBytes == 0 else { throw WireError(.malformed, "PRELOGIN option", "option \(token) is too long") }
    }
}
