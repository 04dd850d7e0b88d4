/// The first byte of a token in a response (MS-TDS 2.2.7).
public enum TokenType: UInt8, Hashable, Sendable, CaseIterable {
    case tvpRow = 0x01
    case offset = 0x78
    case returnStatus = 0x79
    case columnMetadata = 0x81
    case altMetadata = 0x88
    case dataClassification = 0xA3
    case tabName = 0xA4
    case colInfo = 0xA5
    case order = 0xA9
    case error = 0xAA
    case info = 0xAB
    case returnValue = 0xAC
    case loginAck = 0xAD
    case featureExtAck = 0xAE
    case row = 0xD1
    case nbcRow = 0xD2
    case altRow = 0xD3
    case envChange = 0xE3
    case sessionState = 0xE4
    case sspi = 0xED
    case fedAuthInfo = 0xEE
    case done = 0xFD
    case doneProc = 0xFE
    case doneInProc = 0xFF
}
