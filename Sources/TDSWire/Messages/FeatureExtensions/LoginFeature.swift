public import NIOCore

/// A feature extension with a Swift type of its own: what the client says about it in LOGIN7 (MS-TDS 2.2.6.4).
public protocol LoginFeature: Hashable, Sendable {
    static var id: FeatureID { get }

    /// Reads the FeatureData. Throws ``WireError/Code/truncated`` or ``WireError/Code/malformed``.
    init(reading data: inout ByteBuffer) throws(WireError)
    /// Writes the FeatureData.
    func write(to data: inout ByteBuffer) throws(WireError)
}

/// What the server says about a feature in FEATUREEXTACK (MS-TDS 2.2.7.11).
public protocol LoginFeatureAcknowledgement: Hashable, Sendable {
    static var id: FeatureID { get }

    /// Reads the FeatureAckData. Throws ``WireError/Code/truncated`` or ``WireError/Code/malformed``.
    init(reading data: inout ByteBuffer) throws(WireError)
    /// Writes the FeatureAckData.
    func write(to data: inout ByteBuffer) throws(WireError)
}

extension FeatureRequest {
    public init(_ feature: some LoginFeature) throws(WireError) {
        self.init(type(of: feature).id)
        try feature.write(to: &data)
    }

    /// The request as `type`; nil if it is another feature's.
    ///
    /// - Throws: ``WireError/Code/malformed`` if the data are not that feature's.
    public func decode<T: LoginFeature>(as type: T.Type) throws(WireError) -> T? {
        guard id == T.id else { return nil }
        var data = data
        do throws(WireError) {
            let feature = try T(reading: &data)
            guard data.readableBytes == 0 else { throw WireError(.malformed, "LOGIN7 \(id)", "too long") }
            return feature
        } catch where error.code == .truncated {
            throw WireError(.malformed, error.element, "too short")
        }
    }
}

extension FeatureAcknowledgement {
    public init(_ acknowledgement: some LoginFeatureAcknowledgement) throws(WireError) {
        self.init(type(of: acknowledgement).id)
        try acknowledgement.write(to: &data)
    }

    /// The acknowledgement as `type`; nil if it is another feature's.
    ///
    /// - Throws: ``WireError/Code/malformed`` if the data are not that feature's.
    public func decode<T: LoginFeatureAcknowledgement>(as type: T.Type) throws(WireError) -> T? {
        guard id == T.id else { return nil }
        var data = data
        do throws(WireError) {
            let acknowledgement = try T(reading: &data)
            guard data.readableBytes == 0 else { throw WireError(.malformed, "FEATUREEXTACK \(id)", "too long") }
            return acknowledgement
        } catch where error.code == .truncated {
            throw WireError(.malformed, error.element, "too short")
        }
    }
}

extension Login7 {
    /// The first request for this feature; nil if the client did not ask for it.
    ///
    /// - Throws: ``WireError/Code/malformed`` if its data are not right.
    public func feature<T: LoginFeature>(_ type: T.Type) throws(WireError) -> T? { try feature(T.id)?.decode(as: type) }
}

extension [FeatureAcknowledgement] {
    /// The first acknowledgement of this feature; nil if the server is silent about it.
    ///
    /// - Throws: ``WireError/Code/malformed`` if its data are not right.
    public func first<T: LoginFeatureAcknowledgement>(_ type: T.Type) throws(WireError) -> T? {
        try first { $0.id == T.id }?.decode(as: type)
    }
}
