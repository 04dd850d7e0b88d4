public import NIOCore

extension ByteBuffer {
    /// Writes a token as it would be decoded: what a proxy, a recorder or a test server passes on.
    ///
    /// - Parameters:
    ///   - version: the version that was negotiated.
    ///   - columnEncryption: whether column encryption was acknowledged.
    ///   - dataClassificationVersion: the version of DATACLASSIFICATION (1 or 2) that was acknowledged.
    ///   - alternates: the statement's ALTMETADATA tokens by id, for ALTROW.
    /// - Throws: ``WireError/Code/valueOutOfRange`` if something does not fit into its field, ``WireError/Code/notRepresentable`` for an
    ///   ALTROW without its ALTMETADATA.
    public mutating func writeToken(
        _ token: Token, version: TDSVersion = .v7_4, columnEncryption: Bool = false, dataClassificationVersion: UInt8 = 2,
        alternates: [UInt16: AlternateMetadata] = [:]
    ) throws(WireError) {
        switch token {
        case .columnMetadata(let columns?): try writeColumnMetadata(columns, version: version, columnEncryption: columnEncryption)
        case .columnMetadata(nil): writeNoMetadata()
        case .done(let done): writeDone(done, version: version)
        case .error(let message): try writeServerMessage(message, as: .error, version: version)
        case .info(let message): try writeServerMessage(message, as: .info, version: version)
        case .environmentChange(let change): try writeEnvironmentChange(change)
        case .loginAck(let ack): try writeLoginAck(ack)
        case .featureExtAck(let features): writeFeatureExtAck(features)
        case .fedAuthInfo(let info): try writeFedAuthInfo(info)
        case .sspi(let bytes): try writeSSPIToken(bytes)
        case .order(let columns): try writeOrder(columns)
        case .returnStatus(let value): writeReturnStatus(value)
        case .returnValue(let value): try writeReturnValue(value, version: version)
        case .tabName(let tables): try writeTabName(tables, version: version)
        case .colInfo(let columns): try writeColInfo(columns)
        case .offset(let identifier, let length): writeOffset(identifier: identifier, length: length)
        case .sessionState(let state): try writeSessionState(state)
        case .alternateMetadata(let metadata): try writeAlternateMetadata(metadata, version: version)
        case .alternateRow(let row):
            guard let metadata = alternates[row.id] else { throw WireError(.notRepresentable, "ALTROW", "no ALTMETADATA of id \(row.id)") }
            try writeAlternateRow(row, metadata)
        case .dataClassification(let classification): try writeDataClassification(classification, version: dataClassificationVersion)
        }
    }

    /// Writes a COLMETADATA that tells nothing (Count 0xFFFF): the columns are those of the result before.
    public mutating func writeNoMetadata() {
        writeLE(TokenType.columnMetadata.rawValue)
        writeLE(UInt16.max)
    }
}
