import NIOCore
import TDSWire
import Testing

@Suite struct RequestMessageTests {
    static let headers = AllHeaders(
        transactionDescriptor: 0x1122_3344_5566_7788, outstandingRequestCount: 1,
        queryNotification: .init(id: "who", serviceBrokerDeployment: "service=x", timeout: 5000), traceActivity: .init(id: bytes(16), sequence: 3))

    @Test func allHeaders() throws {
        try roundTrip(Self.headers, write: { try $0.writeAllHeaders($1) }, read: { try $0.readAllHeaders() })
        try roundTrip(AllHeaders(), write: { try $0.writeAllHeaders($1) }, read: { try $0.readAllHeaders() })
    }

    @Test func malformedHeaders() throws {
        for hex in [
            "03 00 00 00", "04 00 00 00",  // too short; no transaction descriptor
            "16 00 00 00 12 00 00 00 05 00 00 00 00 00 00 00 00 00 01 00 00 00",  // type 5
            "16 00 00 00 13 00 00 00 02 00 00 00 00 00 00 00 00 00 01 00 00 00",  // longer than the whole
            "16 00 00 00 05 00 00 00 02 00 00 00 00 00 00 00 00 00 01 00 00 00",  // shorter than its head
            "ff ff ff ff 12 00 00 00 02 00 00 00 00 00 00 00 00 00 01 00 00 00",
        ] {
            var buffer = try ByteBuffer(hex: hex)
            #expect(throws: WireError.self, "\(hex)") { try buffer.readAllHeaders() }
        }
    }

    @Test func sqlBatch() throws {
        try roundTrip(
            SQLBatchMessage("SELECT N'ä🐘'", headers: Self.headers), write: { try $0.writeSQLBatch($1) }, read: { try $0.readSQLBatch() }, prefixesMayDecode: true)
        try roundTrip(
            SQLBatchMessage("SELECT 1", headers: nil), write: { try $0.writeSQLBatch($1) }, read: { try $0.readSQLBatch(version: .v7_1) },
            prefixesMayDecode: true)
    }

    @Test func sqlBatchOfUnknownVersion() throws {
        for message in [SQLBatchMessage("SELECT 1", headers: nil), SQLBatchMessage("SELECT 1", headers: AllHeaders())] {
            var buffer = ByteBuffer()
            try buffer.writeSQLBatch(message)
            #expect(try buffer.readSQLBatchOfUnknownVersion() == message)
        }
    }

    @Test func transactionManagerRequests() throws {
        typealias R = TransactionManagerRequest.Request
        let requests: [R] = [
            .getDTCAddress(payload: ByteBuffer()), .propagate(bytes(70)), .begin(.snapshot, name: "t1"), .begin(.current, name: ""), .promote,
            .commit(name: "", next: nil), .commit(name: "t1", next: .init(isolationLevel: .serializable, name: "t2")), .rollback(name: "sp", next: nil),
            .rollback(name: "", next: .init(isolationLevel: .readCommitted)), .save(name: "sp"),
        ]
        for request in requests {
            try roundTrip(
                TransactionManagerRequest(request, headers: AllHeaders(transactionDescriptor: 9)), write: { try $0.writeTransactionManagerRequest($1) },
                read: { try $0.readTransactionManagerRequest() })
        }
        #expect(throws: WireError.self) { var b = ByteBuffer(); try b.writeTransactionManagerRequest(.init(.save(name: ""))) }
        #expect(throws: WireError.self) { var b = ByteBuffer(); try b.writeTransactionManagerRequest(.init(.save(name: String(repeating: "x", count: 128)))) }
    }

    @Test func smallMessages() throws {
        try roundTrip(FedAuthTokenMessage(token: bytes(20), nonce: bytes(32)), write: { try $0.writeFedAuthToken($1) }, read: { try $0.readFedAuthToken() })
        try roundTrip(FedAuthTokenMessage(token: bytes(20)), write: { try $0.writeFedAuthToken($1) }, read: { try $0.readFedAuthToken() })
        try roundTrip(SSPIMessage(bytes(20)), write: { $0.writeSSPIMessage($1) }, read: { try $0.readSSPIMessage() }, prefixesMayDecode: true)
        try roundTrip(bytes(20), write: { try $0.writeBulkText($1) }, read: { try $0.readBulkText() })
        #expect(!"\(FedAuthTokenMessage(token: ByteBuffer(string: "secret")))".contains("secret"))
        var packet = ByteBuffer()
        packet.writePacketHeader(AttentionMessage.packet.header)
        #expect(packet.hex == "06 01 00 08 00 00 01 00")
    }

    @Test func smpHeader() throws {
        let header = SMPHeader(flags: .data, sessionID: 2, length: 100, sequenceNumber: 7, window: 4)
        try roundTrip(header, write: { $0.writeSMPHeader($1) }, read: { try $0.readSMPHeader() })
        var wrong = try ByteBuffer(hex: "53 03 00 00 10 00 00 00 00 00 00 00 04 00 00 00")
        #expect(throws: WireError.self) { try wrong.readSMPHeader() }
    }
}
