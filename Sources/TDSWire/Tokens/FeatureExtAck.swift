public import NIOCore

/// The id of a LOGIN7 feature extension and of its acknowledgement (MS-TDS 2.2.6.4 FeatureOpt, 2.2.7.11).
public struct FeatureID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let sessionRecovery = FeatureID(rawValue: 0x01)
    public static let federatedAuthentication = FeatureID(rawValue: 0x02)
    public static let columnEncryption = FeatureID(rawValue: 0x04)
    public static let globalTransactions = FeatureID(rawValue: 0x05)
    public static let azureSQLSupport = FeatureID(rawValue: 0x08)
    public static let dataClassification = FeatureID(rawValue: 0x09)
    public static let utf8Support = FeatureID(rawValue: 0x0A)
    public static let azureSQLDNSCaching = FeatureID(rawValue: 0x0B)
    public static let jsonSupport = FeatureID(rawValue: 0x0D)
    public static let vectorSupport = FeatureID(rawValue: 0x0E)
    public static let enhancedRoutingSupport = FeatureID(rawValue: 0x0F)
    public static let userAgent = FeatureID(rawValue: 0x10)
    public static let terminator = FeatureID(rawValue: 0xFF)

    public var description: String { "feature \(rawValue)" }
}

/// One acknowledged feature of FEATUREEXTACK (MS-TDS 2.2.7.11).
///
/// ```
/// +------+ then per feature        and at the end
/// | 0xAE | +-----------+-----------+------+   +------+
/// | BYTE | | FeatureId | Length    | Data |   | 0xFF |
/// +------+ | BYTE      | ULONG     |      |   +------+
///          +-----------+-----------+------+
/// ```
public struct FeatureAcknowledgement: Hashable, Sendable {
    public var id: FeatureID
    public var data: ByteBuffer

    public init(_ id: FeatureID, data: ByteBuffer = ByteBuffer()) {
        self.id = id
        self.data = data
    }
}

extension ByteBuffer {
    /// Reads a FEATUREEXTACK after its token byte. Throws ``WireError/Code/truncated`` when more bytes are needed.
    mutating func readFeatureExtAck() throws(WireError) -> [FeatureAcknowledgement] {
        var features: [FeatureAcknowledgement] = []
        while true {
            let id = FeatureID(rawValue: try readLE("FEATUREEXTACK FeatureId"))
            if id == .terminator { return features }
            let length = Int(try readLE("FEATUREEXTACK FeatureAckDataLen", as: UInt32.self))
            guard length <= TokenStreamDecoder.longTokenLimit else { throw WireError(.tooLarge, "FEATUREEXTACK FeatureAckDataLen") }
            features.append(FeatureAcknowledgement(id, data: try readWireSlice(length, "FEATUREEXTACK FeatureAckData")))
        }
    }

    /// Writes a FEATUREEXTACK token with its terminator.
    public mutating func writeFeatureExtAck(_ features: [FeatureAcknowledgement]) {
        writeLE(TokenType.featureExtAck.rawValue)
        for feature in features {
            writeLE(feature.id.rawValue)
            writeLE(UInt32(truncatingIfNeeded: feature.data.readableBytes))
            writeImmutableBuffer(feature.data)
        }
        writeLE(FeatureID.terminator.rawValue)
    }
}
