import Foundation
import NIOCore
import TDSRecording
import TDSWire
import Testing

/// Fixtures/recordings: sessions of clients that are not ours with the simulator (their README.md says which and how).
@Suite struct RecordedClientTests {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/recordings").standardizedFileURL

    /// A recording and what is in it.
    struct Recording: CustomTestStringConvertible, Sendable {
        var name: String
        var connections: Int
        /// Messages of the client by type.
        var messages: [PacketType: Int]
        /// How often each procedure is called.
        var procedures: [String: Int]
        /// Tokens of the server by kind, DONE, DONEPROC and DONEINPROC together; without ENVCHANGE.
        var tokens: [String: Int]
        var rows: Int
        var testDescription: String { name }
    }

    /// Expectations that do not come from our decoder.
    ///
    /// Messages, rows, errors and procedures: tshark 4, which counts the packets that end a message by type, and the tokens by kind:
    ///
    ///     gzip -dc NAME.pcap.gz > /tmp/NAME.pcap
    ///     tshark -r /tmp/NAME.pcap -d tcp.port==1433,tds -Y tds -T fields -E occurrence=a -e tds.type -e tds.status.eom
    ///     tshark -r /tmp/NAME.pcap -d tcp.port==1433,tds -Y tds.row -T fields -e tds.row      (also tds.done, tds.doneproc, tds.doneinproc,
    ///         tds.colmetadata, tds.returnstatus, tds.error, tds.info, tds.loginack, tds.featureextack, tds.rpc.name, tds.rpc.proc_id)
    ///
    /// and Tests/conformance/record.py: every client but connectorx reads `BATCH` (1 + 2 rows), dbo.types (2) and six values (6), and gets the errors
    /// 208 and 2627. python-tds: six more values, a count, four rows before it gives up, and one more row; mssql-python: six more values; pymssql:
    /// two rows, and the three columns of dbo.loaded; connectorx: the two rows twice, and `SELECT 1`.
    ///
    /// tshark stops in the answer with all types, in the second row (see README.md), and at every RETURNVALUE: where it does, the DONE that ends the
    /// message is added here. RETURNVALUE is one for each statement that mssql-python prepares, its handle, and record.py's output parameter.
    /// RPCs of python-tds and tiberius it doesn't take apart: theirs are record.py's parameters, each an sp_executesql.
    static let recordings = [
        Recording(
            name: "connectorx", connections: 1, messages: [.preLogin: 1, .login7: 1, .sqlBatch: 1, .rpc: 2], procedures: ["sp_executesql": 2],
            tokens: ["columnMetadata": 3, "done": 2 + 2 + 2, "returnStatus": 2, "info": 2, "loginAck": 1], rows: 2 + 1 + 2),
        Recording(
            name: "mssql-python", connections: 1, messages: [.preLogin: 1, .login7: 1, .sqlBatch: 5, .rpc: 18, .transactionManagerRequest: 9],
            procedures: ["sp_describe_undeclared_parameters": 1, "sp_prepare": 1, "sp_execute": 1, "sp_prepexec": 13, "sp_unprepare": 2],
            tokens: ["columnMetadata": 15, "done": 22 + 4 + 15 + 1 + 14, "error": 3, "info": 4, "loginAck": 1, "featureExtAck": 1, "returnStatus": 18, "returnValue": 13 + 1],
            rows: 11 + 6),
        Recording(
            name: "pymssql", connections: 1, messages: [.preLogin: 1, .login7: 1, .sqlBatch: 34, .rpc: 1, .bulkLoad: 1, .attention: 8],
            procedures: ["sp_executesql": 1],
            tokens: ["columnMetadata": 13, "done": 44 + 1 + 1 + 1, "error": 2, "info": 5, "loginAck": 1, "featureExtAck": 1, "returnStatus": 1], rows: 11 + 2 + 3),
        Recording(
            name: "python-tds", connections: 1,
            messages: [.preLogin: 1, .login7: 1, .sqlBatch: 10, .rpc: 14, .transactionManagerRequest: 8, .bulkLoad: 1, .attention: 16],
            procedures: ["sp_executesql": 5 + 2 + 6 + 1],
            tokens: ["columnMetadata": 18, "done": 43 + 13 + 13 + 1 + 1, "error": 2, "info": 4, "loginAck": 1, "returnStatus": 14, "returnValue": 1],
            rows: 11 + 6 + 1 + 4 + 1),
    ]

    static func connections(_ name: String) throws -> [RecordedConnection] {
        RecordedConnection.connections(in: try PcapFile(reading: ByteBuffer(bytes: try Data(contentsOf: directory.appending(path: "\(name).pcap.gz")))))
    }

    /// Every message decodes; the client's, encoded again, mean the same.
    @Test(arguments: recordings) func everyMessage(_ recording: Recording) throws {
        let connections = try Self.connections(recording.name)
        var messages: [PacketType: Int] = [:]
        var procedures: [String: Int] = [:]
        var tokens: [String: Int] = [:]
        var rows = 0
        for connection in connections {
            var answersPreLogin = false
            var version = TDSVersion.v7_4
            for (direction, type, payload) in try CaptureTests.messages(connection) {
                var message = payload
                var copy = ByteBuffer()
                if direction == .toServer { messages[type, default: 0] += 1 }
                switch (direction, type) {
                case (.toServer, .preLogin):
                    let preLogin = try message.readPreLogin(from: .client)
                    try copy.writePreLogin(preLogin)
                    #expect(try copy.readPreLogin(from: .client) == preLogin)
                    answersPreLogin = true
                case (.toClient, .tabularResult) where answersPreLogin:
                    #expect(try message.readPreLogin(from: .server).encryption == .notSupported)
                    answersPreLogin = false
                case (.toServer, .login7):
                    let login = try message.readLogin7()
                    #expect(login.userName == "sa" && !login.password.isEmpty && login.password.allSatisfy { $0 == "*" })
                    try copy.writeLogin7(login)
                    #expect(try copy.readLogin7() == login)
                    version = login.version
                case (.toServer, .sqlBatch):
                    let batch = try message.readSQLBatch(version: version)
                    try copy.writeSQLBatch(batch)
                    #expect(copy == payload, "\(batch.text)")
                case (.toServer, .rpc):
                    let rpc = try message.readRPCRequest(version: version)
                    for request in rpc.requests { procedures[request.procedure.name, default: 0] += 1 }
                    try copy.writeRPCRequest(rpc, version: version)
                    #expect(try copy.readRPCRequest(version: version) == rpc)
                case (.toServer, .bulkLoad):
                    let load = try message.readBulkLoad(version: version)
                    #expect(!load.rows.isEmpty)
                    try copy.writeBulkLoad(load, version: version)
                    #expect(try copy.readBulkLoad(version: version) == load)
                case (.toServer, .transactionManagerRequest):
                    let request = try message.readTransactionManagerRequest(version: version)
                    try copy.writeTransactionManagerRequest(request)
                    #expect(copy == payload)
                case (.toServer, .attention): _ = try message.readAttention()
                case (.toClient, .tabularResult):
                    let whole = try Self.decode([payload], version)
                    for token in whole.tokens { tokens[Self.kind(token), default: 0] += 1 }
                    rows += whole.values.filter(\.isEmpty).count
                    for token in whole.tokens { if case .loginAck(let ack) = token { version = ack.version } }
                case let other: Issue.record("\(other.0), \(other.1)")
                }
                if direction == .toServer, type != .bulkLoad, type != .attention { #expect(message.readableBytes == 0, "\(type) has bytes left over") }
            }
        }
        #expect(connections.count == recording.connections)
        #expect(messages == recording.messages)
        #expect(procedures == recording.procedures)
        tokens["environmentChange"] = nil
        #expect(tokens == recording.tokens)
        #expect(rows == recording.rows)
    }

    /// The recorded server answers the recorded client with the recorded bytes, and they decode to the same however they are cut.
    @Test(arguments: recordings) func replay(_ recording: Recording) throws {
        for connection in try Self.connections(recording.name) {
            var script = try ReplayServerScript(connection)
            #expect(script.greeting.isEmpty)
            var answers: [Packet] = []
            var recorded: [Packet] = []
            var version = TDSVersion.v7_4
            for event in try connection.packets() {
                switch event.direction {
                case .toServer:
                    answers += try script.clientPacket(event.packet)
                    if event.packet.header.type == .login7 {
                        var login = event.packet.payload
                        version = try login.readLogin7().version
                    }
                case .toClient: recorded.append(event.packet)
                }
            }
            #expect(script.isFinished && answers == recorded)
            // The first answer is PRELOGIN's.
            var parts: [ByteBuffer] = []
            for packet in answers.dropFirst() {
                parts.append(packet.payload)
                guard packet.header.status.contains(.endOfMessage) else { continue }
                var whole = ByteBuffer()
                for part in parts { whole.writeImmutableBuffer(part) }
                let expected = try Self.decode([whole], version)
                #expect(try Self.decode(parts, version) == expected)
                for size in [1, 2, 3, 7, 100] {
                    var rest = whole
                    var pieces: [ByteBuffer] = []
                    while rest.readableBytes > 0, let piece = rest.readSlice(length: min(size, rest.readableBytes)) { pieces.append(piece) }
                    #expect(try Self.decode(pieces, version) == expected, "in pieces of \(size)")
                }
                for token in expected.tokens { if case .loginAck(let ack) = token { version = ack.version } }
                parts = []
            }
            #expect(parts.isEmpty)
        }
    }

    struct Decoded: Equatable {
        var tokens: [Token] = []
        /// Every value, nil for NULL; an empty list ends a row.
        var values: [[ByteBuffer?]] = []
    }

    static func decode(_ parts: [ByteBuffer], _ version: TDSVersion) throws -> Decoded {
        var decoder = TokenStreamDecoder(version: version)
        var sink = CollectingSink()
        var decoded = Decoded()
        for part in parts {
            decoder.append(part)
            while case .token(let token) = try decoder.decode(into: &sink) { decoded.tokens.append(token) }
        }
        #expect(decoder.isAtTokenBoundary)
        decoded.values = sink.values
        return decoded
    }

    /// A token's name.
    static func kind(_ token: Token) -> String {
        Mirror(reflecting: token).children.first?.label ?? "\(token)"
    }
}

/// Keeps every value, whether it came whole or in chunks.
private struct CollectingSink: RowSink {
    var values: [[ByteBuffer?]] = []
    private var large = ByteBuffer()

    mutating func columns(_ columns: [ColumnMetadata]) {}
    mutating func rowBegins() {}
    mutating func null(column: Int) { values.append([nil]) }
    mutating func value(_ bytes: RawSpan, column: Int) {
        var value = ByteBuffer()
        value.writeBytes(bytes)
        values.append([value])
    }
    mutating func largeValueBegins(column: Int, length: UInt64?) { large = ByteBuffer() }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { large.writeBytes(bytes) }
    mutating func largeValueEnds(column: Int) { values.append([large]) }
    mutating func rowEnds() { values.append([]) }
}
