import NIOCore
import TDSWire

struct NoWriter: Error {
    let token: Token
}

extension ByteBuffer {
    /// Writes any token but rows.
    mutating func write(_ token: Token, version: TDSVersion = .v7_4) throws {
        switch token {
        case .columnMetadata(let columns?): try writeColumnMetadata(columns, version: version)
        case .columnMetadata(nil): writeBytes([0x81, 0xFF, 0xFF])
        case .done(let done): writeDone(done, version: version)
        case .error(let message), .info(let message): try writeServerMessage(message, version: version)
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
        case .dataClassification(let classification): try writeDataClassification(classification, version: classification.rank == nil ? 1 : 2)
        case .alternateRow: throw NoWriter(token: token)  // needs its ALTMETADATA
        }
    }

    /// Writes a ROW.
    mutating func writeRow(_ row: [ByteBuffer?], _ columns: [ColumnMetadata]) throws {
        writeInteger(TokenType.row.rawValue)
        for (value, column) in zip(row, columns) { try writeWireValue(value, column.typeInfo) }
    }

    /// Writes an NBCROW.
    mutating func writeNBCRow(_ row: [ByteBuffer?], _ columns: [ColumnMetadata]) throws {
        writeInteger(TokenType.nbcRow.rawValue)
        var bitmap = [UInt8](repeating: 0, count: (columns.count + 7) / 8)
        for (index, value) in row.enumerated() where value == nil { bitmap[index / 8] |= 1 << UInt8(index % 8) }
        writeBytes(bitmap)
        for (value, column) in zip(row, columns) where value != nil { try writeWireValue(value, column.typeInfo) }
    }
}
