public import NIOCore

/// A token of a server's response other than a row (MS-TDS 2.2.7). Rows go to a ``RowSink``.
public enum Token: Hashable, Sendable {
    /// COLMETADATA; nil when the server sent none (Count 0xFFFF), which leaves the metadata before in force.
    case columnMetadata([ColumnMetadata]?)
    case done(Done)
    case error(ServerMessage)
    case info(ServerMessage)
    case environmentChange(EnvironmentChange)
    case loginAck(LoginAck)
    case featureExtAck([FeatureAcknowledgement])
    case fedAuthInfo(FedAuthInfo)
    case sspi(ByteBuffer)
    case order([UInt16])
    case returnStatus(Int32)
    case returnValue(ReturnValue)
    case tabName([[String]])
    case colInfo([ColInfo])
    case offset(identifier: UInt16, length: UInt16)
    case sessionState(SessionState)
    case alternateMetadata(AlternateMetadata)
    case alternateRow(AlternateRow)
    case dataClassification(DataClassification)
}
