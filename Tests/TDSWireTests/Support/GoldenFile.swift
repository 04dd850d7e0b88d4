import Foundation
import NIOCore
import TDSWire
import Testing

/// The files of Fixtures/golden: bytes whose origin their first line names (`# source: …`). Comment lines start with `#`; the rest is hex.
enum GoldenFile: String, CaseIterable {
    // Worked examples of MS-TDS section 4: whole packets.
    case preLogin = "ms-tds-4.01-prelogin-request"
    case login72 = "ms-tds-4.02-login7-tds72"
    case loginFedAuth = "ms-tds-4.03-login7-fedauth"
    case loginResponse = "ms-tds-4.04-login-response"
    case loginResponseFedAuth = "ms-tds-4.05-login-response-fedauth"
    case sqlBatch = "ms-tds-4.06-sql-batch"
    case sqlBatchResponse = "ms-tds-4.07-sql-batch-response"
    case rpc = "ms-tds-4.08-rpc"
    case rpcResponse = "ms-tds-4.09-rpc-response"
    case attention = "ms-tds-4.10-attention"
    case sspi = "ms-tds-4.11-sspi"
    case bulkLoad = "ms-tds-4.12-bulk-load"
    case transactionManager = "ms-tds-4.13-transaction-manager"
    case rpcTVP = "ms-tds-4.14-rpc-tvp"
    case sparseColumns = "ms-tds-4.15-sparse-columns"
    case loginSessionRecovery = "ms-tds-4.16-login7-session-recovery"
    case loginResponseSessionRecovery = "ms-tds-4.17-login-response-session-recovery"
    case sessionState = "ms-tds-4.18-session-state"
    case loginAzure = "ms-tds-4.20-login7-azure"
    case loginResponseAzure = "ms-tds-4.21-login-response-azure"
    // Hand-made token streams, without packet headers.
    case doneKinds = "hand-done-kinds"
    case errorInfo = "hand-error-info"
    case envChangeAll = "hand-envchange-all"
    case browse = "hand-browse"
    case nbcRow = "hand-nbcrow"
    case plp = "hand-plp"
    case textPointers = "hand-text-pointers"
    case returnValues = "hand-return-values"
    case tds71Result = "hand-tds71-result"
    case fedAuthInfo = "hand-fedauth-info"
    case featureAcks = "hand-feature-acks"
    case handSessionState = "hand-session-state"
    case noMetadata = "hand-no-metadata"
    case types = "hand-types"
    case compute = "hand-compute"
    case dataClassification = "hand-data-classification"
    case encryption = "hand-encryption"

    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Fixtures/golden").standardizedFileURL

    var isPacket: Bool { rawValue.hasPrefix("ms-tds") }

    /// What the file says about its values: the comments that begin with `# = `.
    func texts() throws -> [String] {
        try String(contentsOf: Self.directory.appending(path: rawValue + ".hex"), encoding: .utf8)
            .split(separator: "\n").filter { $0.hasPrefix("# = ") }.map { String($0.dropFirst(4)) }
    }

    /// The file's bytes.
    func bytes() throws -> ByteBuffer {
        let text = try String(contentsOf: Self.directory.appending(path: rawValue + ".hex"), encoding: .utf8)
        let lines = text.split(separator: "\n")
        guard let first = lines.first, first.hasPrefix("# source: ") else { throw GoldenError.noSource(rawValue) }
        return try ByteBuffer(hex: lines.filter { !$0.hasPrefix("#") }.joined())
    }

    /// The only packet of a file that holds one.
    func packet() throws -> Packet {
        var decoder = PacketDecoder()
        decoder.append(try bytes())
        guard let packet = try decoder.next(), !decoder.isInPacket else { throw GoldenError.notOnePacket(rawValue) }
        return packet
    }

    /// The tokens of a server's stream.
    func tokens() throws -> ByteBuffer { isPacket ? try packet().payload : try bytes() }
}

enum GoldenError: Error {
    case noSource(String)
    case notOnePacket(String)
}
