import Foundation
import NIOCore
import TDSWire
import Testing

/// The worked examples of MS-TDS section 4: decoded, and encoded again to the same bytes.
@Suite struct GoldenMessageTests {
    @Test func everyFileHasAName() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: GoldenFile.directory.path)
        #expect(Set(files) == Set(GoldenFile.allCases.map { $0.rawValue + ".hex" }))
    }

    @Test func preLogin() throws {
        let packet = try GoldenFile.preLogin.packet()
        #expect(packet.header.type == .preLogin)
        var payload = packet.payload
        let message = try payload.readPreLogin(from: .client)
        #expect(message == PreLogin(
            version: .init(major: 9, minor: 0, build: 0), encryption: .on, instance: .name(ByteBuffer()), threadID: .id(0xB80D_0000), mars: true))
        var again = ByteBuffer()
        try again.writePreLogin(message)
        #expect(again == packet.payload)
    }

    @Test func login() throws {
        var payload = try GoldenFile.login72.packet().payload
        let login = try payload.readLogin7()
        #expect(login.version == .v7_2 && login.packetSize == 4096 && login.clientProgramVersion == 0x0700_0000 && login.clientPID == 0x100)
        #expect(login.hostName == "skostov1" && login.userName == "sa" && login.password == "" && login.applicationName == "OSQL-32")
        #expect(login.libraryName == "ODBC" && login.clientID == [0x00, 0x50, 0x8B, 0xE2, 0xB7, 0x8F] && login.timeZone == 0 && login.lcid == 0x409)
        #expect(login.options1 == [.useDB, .initialDatabaseFatal, .setLanguage] && login.options2 == [.initialLanguageFatal, .odbc])
        try roundTrip(login, write: { try $0.writeLogin7($1) }, read: { try $0.readLogin7() })
    }

    @Test func loginWithFederatedAuthentication() throws {
        var payload = try GoldenFile.loginFedAuth.packet().payload
        let login = try payload.readLogin7()
        #expect(login.version == .v7_4 && login.features.map(\.id) == [.federatedAuthentication] && login.hostName == "DANBENED3-XGZUO")
        let feature = try #require(try login.feature(FederatedAuthenticationFeature.self))
        guard case .liveID(let token, let signed) = feature.method else { Issue.record("\(feature)"); return }
        #expect(feature.echo && String(utf16LE: token.readableBytesView).hasPrefix("t=EwCQ") && signed.readableBytes >= 64)
        try again(login)
    }

    @Test func loginWithSessionRecovery() throws {
        var payload = try GoldenFile.loginSessionRecovery.packet().payload
        let login = try payload.readLogin7()
        #expect(login.userName == "sa" && login.database == "tempdb" && login.applicationName == "OSQL-32")
        let recovery = try #require(try login.feature(SessionRecoveryFeature.self)?.recovery)
        #expect(recovery.initial.database == "master" && recovery.initial.collation == .sqlLatin1GeneralCP1CIAS && recovery.initial.language == "us_english")
        #expect(recovery.initial.states.map(\.id) == [0, 2, 4, 5, 6, 7, 8, 9])
        #expect(recovery.toBe == .init(states: [.init(id: 9, value: ByteBuffer(bytes: [0x28, 0x23, 0, 0]))]))
        try again(login)
    }

    @Test func loginToAzure() throws {
        var payload = try GoldenFile.loginAzure.packet().payload
        let login = try payload.readLogin7()
        #expect(login.database == "testdb" && login.typeFlags == .readOnlyIntent && login.userName == "cloudsa" && login.packetSize == 8000)
        #expect(login.features.map(\.id) == [.sessionRecovery, .columnEncryption, .globalTransactions, .azureSQLSupport])
        #expect(try login.feature(AzureSQLSupportFeature.self) == AzureSQLSupportFeature())
        #expect(try login.feature(ColumnEncryptionFeature.self)?.version == 1)
        try again(login)
    }

    private func again(_ login: Login7) throws {
        var buffer = ByteBuffer()
        try buffer.writeLogin7(login)
        #expect(try buffer.readLogin7() == login)
    }

    @Test func sqlBatch() throws {
        let packet = try GoldenFile.sqlBatch.packet()
        var payload = packet.payload
        let message = try payload.readSQLBatch()
        #expect(message.text == "\nselect 'foo' as 'bar'\n        ")
        var again = ByteBuffer()
        try again.writeSQLBatch(message)
        #expect(again == packet.payload)
    }

    @Test func rpc() throws {
        let packet = try GoldenFile.rpc.packet()
        var payload = packet.payload
        let message = try payload.readRPCRequest()
        // The example's header says transaction 1 << 56 and no outstanding request.
        #expect(message == RPCRequestMessage(
            [RPCRequest(.name("foo3"), parameters: [RPCParameter("", TypeInfo(.intN, maximumLength: 2), nil, status: .defaultValue)])],
            headers: AllHeaders(transactionDescriptor: 1 << 56, outstandingRequestCount: 0)))
        var again = ByteBuffer()
        try again.writeRPCRequest(message)
        #expect(again == packet.payload)
    }

    @Test func rpcWithTable() throws {
        let packet = try GoldenFile.rpcTVP.packet()
        var payload = packet.payload
        let message = try payload.readRPCRequest()
        let table = TableValuedParameter(
            .init(schema: "dbo", typeName: "tvptype", columns: [ColumnMetadata("", TypeInfo(.intN, maximumLength: 1), flags: [])]),
            rows: [[ByteBuffer(bytes: [2])]])
        #expect(message.requests == [RPCRequest(.name("foo"), parameters: [RPCParameter("", .table(table))])])
        var again = ByteBuffer()
        try again.writeRPCRequest(message)
        #expect(again == packet.payload)
    }

    @Test func bulkLoad() throws {
        let packet = try GoldenFile.bulkLoad.packet()
        #expect(packet.header.type == .bulkLoad)
        var payload = packet.payload
        let load = try payload.readBulkLoad()
        #expect(load == BulkLoad(
            columns: [ColumnMetadata("c1", TypeInfo(.bit, maximumLength: 1), flags: .init(rawValue: 5))], rows: [[ByteBuffer(bytes: [0])]]))
        var again = ByteBuffer()
        try again.writeBulkLoad(load)
        #expect(again == packet.payload)
    }

    @Test func transactionManager() throws {
        let packet = try GoldenFile.transactionManager.packet()
        // The example's request type is 22, which the table of request types does not have; 2.2.6.9 wants the connection closed.
        var payload = packet.payload
        #expect(throws: WireError(.malformed, "TransMgrReq RequestType", "22")) { try payload.readTransactionManagerRequest() }
    }

    @Test func attentionAndSSPI() throws {
        #expect(try GoldenFile.attention.packet() == AttentionMessage.packet)
        var payload = try GoldenFile.sspi.packet().payload
        let message = try payload.readSSPIMessage()
        #expect(String(decoding: message.bytes.readableBytesView.prefix(7), as: UTF8.self) == "NTLMSSP")
    }
}

/// Token streams: what they say, that encoding says the same, and that it does not depend on how the bytes are cut.
@Suite struct GoldenStreamTests {
    static let streams: [GoldenFile] = [
        .loginResponse, .loginResponseFedAuth, .sqlBatchResponse, .rpcResponse, .sparseColumns, .loginResponseSessionRecovery, .sessionState,
        .loginResponseAzure, .doneKinds, .errorInfo, .envChangeAll, .browse, .nbcRow, .plp, .textPointers, .returnValues, .tds71Result, .fedAuthInfo,
        .featureAcks, .handSessionState, .noMetadata, .types, .compute, .dataClassification, .encryption,
    ]

    static func version(_ file: GoldenFile) -> TDSVersion {
        switch file {
        case .tds71Result: .v7_1
        case .loginResponse: .v7_2
        default: .v7_4
        }
    }

    @Test(arguments: streams) func everySplit(_ file: GoldenFile) throws {
        let bytes = try file.tokens()
        let whole = try decodeStream([bytes], version: Self.version(file))
        for position in 0...bytes.readableBytes {
            #expect(try decodeStream(bytes.split(at: position), version: Self.version(file)) == whole, "\(file) split at \(position)")
        }
        #expect(try decodeStream(bytes.singleBytes, version: Self.version(file)) == whole, "\(file) byte by byte")
    }

    /// A prefix is either whole itself (it ends between tokens) or says that it is not; it is never an error of another kind.
    @Test(arguments: streams) func everyTruncation(_ file: GoldenFile) throws {
        let bytes = try file.tokens()
        let whole = try decodeStream([bytes], version: Self.version(file))
        for length in 0..<bytes.readableBytes {
            do {
                let prefix = try decodeStream([try #require(bytes.getSlice(at: bytes.readerIndex, length: length))], version: Self.version(file))
                #expect(whole.events.starts(with: prefix.events), "\(file), \(length) bytes")
            } catch let error as IncompleteStream {
                #expect(error == IncompleteStream())
            }
        }
    }

    /// Whatever byte is changed to whatever value, decoding ends with a result or a ``WireError``; a trap would end the tests.
    @Test(arguments: streams) func everyByteChanged(_ file: GoldenFile) throws {
        let bytes = try file.tokens()
        // The file with all types is long: two values do for it, or this test would take longer than all others together.
        let values: [UInt8] = file == .types ? [0x00, 0xFF] : [0x00, 0x01, 0x7F, 0x80, 0xD1, 0xE7, 0xFE, 0xFF]
        for position in 0..<bytes.readableBytes {
            for value in values {
                var changed = bytes
                changed.setInteger(value, at: changed.readerIndex + position)
                do {
                    _ = try decodeStream([changed], version: Self.version(file))
                } catch {
                    #expect(error is WireError || error is IncompleteStream)
                }
            }
        }
    }

    /// Tokens and rows written by our encoders give the bytes they were read from; but for values in chunks, which we write in one,
    /// and rows whose choice between ROW and NBCROW is not ours. (Encryption: RareTokenTests.)
    @Test(arguments: streams.filter { ![.plp, .returnValues, .sparseColumns, .nbcRow, .types, .encryption].contains($0) }) func encodesAlike(_ file: GoldenFile) throws {
        let bytes = try file.tokens()
        let version = Self.version(file)
        var again = ByteBuffer()
        var columns: [ColumnMetadata] = []
        var alternates: [UInt16: AlternateMetadata] = [:]
        for event in try decodeStream([bytes], version: version).events {
            switch event {
            case .columns(let new): columns = new
            case .token(let token):
                if case .alternateMetadata(let metadata) = token { alternates[metadata.id] = metadata }
                var classification: UInt8 = 2
                if case .dataClassification(let value) = token, value.rank == nil { classification = 1 }
                try again.writeToken(token, version: version, dataClassificationVersion: classification, alternates: alternates)
            case .row(let row): try again.writeRow(row, columns)
            }
        }
        #expect(again.hex == bytes.hex)
    }

    @Test func loginResponse() throws {
        let tokens = try decodeStream([try GoldenFile.loginResponse.tokens()]).tokens
        #expect(tokens.contains(.environmentChange(.database(new: "master", old: "master"))))
        #expect(tokens.contains(.environmentChange(.collation(new: .sqlLatin1GeneralCP1CIAS, old: nil))))
        #expect(tokens.contains(.environmentChange(.packetSize(new: 4096, old: 4096))))
        #expect(tokens.contains(.loginAck(LoginAck(version: .v7_2, programName: "Microsoft SQL Server\0\0", serverVersion: .init(major: 0, minor: 0, build: 0)))))
        #expect(tokens.last == .done(Done()))
    }

    @Test func loginResponseWithFederatedAuthentication() throws {
        let tokens = try decodeStream([try GoldenFile.loginResponseFedAuth.tokens()]).tokens
        guard case .featureExtAck(let features)? = tokens.first(where: { if case .featureExtAck = $0 { true } else { false } }) else { throw Unexpected() }
        let ack = try features.first(FederatedAuthenticationFeature.Acknowledgement.self)
        #expect(ack?.nonce?.readableBytes == 32 && ack?.signature?.readableBytes == 32)
    }

    @Test func loginResponseWithSessionRecovery() throws {
        for (file, ids) in [
            (GoldenFile.loginResponseSessionRecovery, [FeatureID.sessionRecovery]),
            (.loginResponseAzure, [.sessionRecovery, .columnEncryption, .globalTransactions, .azureSQLSupport]),
        ] {
            let tokens = try decodeStream([try file.tokens()]).tokens
            guard case .featureExtAck(let features)? = tokens.first(where: { if case .featureExtAck = $0 { true } else { false } }) else { throw Unexpected() }
            #expect(features.map(\.id) == ids)
            #expect(try features.first(SessionRecoveryFeature.Acknowledgement.self)?.states.map(\.id).prefix(8) == [0, 2, 4, 5, 6, 7, 8, 9])
        }
    }

    /// Logon triggers' statements report before LOGINACK: the request machine must not take them for the login's end.
    @Test func doneInProcBeforeLoginAck() throws {
        let tokens = try decodeStream([try GoldenFile.loginResponseAzure.tokens()]).tokens
        guard case .done(let first)? = tokens.first else { throw Unexpected() }
        #expect(first.kind == .doneInProc)
        let asked: [FeatureID] = [.sessionRecovery, .columnEncryption, .globalTransactions, .azureSQLSupport]
        var machine = ClientLoginTests.sent(Login7(features: asked.map { FeatureRequest($0) }))
        for token in tokens {
            switch machine.tokenReceived(token) {
            case .wait: break
            case .setPacketSize(let size): #expect(size == 8000)
            case let other: Issue.record("\(other)")
            }
        }
        guard case .succeeded(let result) = machine.messageEnded() else { throw Unexpected() }
        #expect(result.database == "testdb" && result.packetSize == 8000)
        #expect(try SessionRecoveryState(login: result).isRecoverable)
    }

    @Test func sqlBatchResponse() throws {
        let stream = try decodeStream([try GoldenFile.sqlBatchResponse.tokens()])
        #expect(stream.rows == [[ByteBuffer(string: "foo")]])
        #expect(stream.tokens.last == .done(Done(status: .count, currentCommand: 0xC1, rowCount: 1)))
    }

    @Test func sparseColumns() throws {
        let stream = try decodeStream([try GoldenFile.sparseColumns.tokens()])
        #expect(stream.rows.count == 10 && stream.rows.filter { $0[1] == nil }.count == 7)
        #expect(stream.rows[1][1].map { String(utf16LE: $0.readableBytesView) } == "<sparseProp1>1000</sparseProp1>")
    }

    @Test func plp() throws {
        let values = try decodeStream([try GoldenFile.plp.tokens()]).rows.map { $0[0].map { String(buffer: $0) } }
        #expect(values == [nil, "", "", "abc", "abcdef", "abcde"])
    }

    @Test func returnValues() throws {
        let values = try decodeStream([try GoldenFile.returnValues.tokens()]).tokens.compactMap { if case .returnValue(let value) = $0 { value } else { nil } }
        #expect(values.map(\.name) == ["@i", "@n", ""] && values.map(\.status) == [1, 1, 2])
        #expect(values.map { $0.value.map { $0.hex } } == ["07 00 00 00", nil, "61 62 63"])
    }

    @Test func nullBitmaps() throws {
        let rows = try decodeStream([try GoldenFile.nbcRow.tokens()]).rows.map { $0.map { $0?.getInteger(at: 0, endianness: .little, as: Int32.self) } }
        #expect(rows == [
            Array(repeating: nil, count: 9), [0, 1, 2, 3, 4, 5, 6, 7, 8], [1, nil, nil, nil, nil, nil, nil, nil, -1], [5, nil, 7, 7, 7, 7, 7, 7, 7],
        ])
    }

    @Test func environmentChanges() throws {
        let changes = try decodeStream([try GoldenFile.envChangeAll.tokens()]).tokens.compactMap { token in
            if case .environmentChange(let change) = token { change } else { nil as EnvironmentChange? }
        }
        #expect(changes.map(\.type) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21])
        #expect(changes.suffix(13) == [
            .beginTransaction(descriptor: 0x35), .commitTransaction(descriptor: 0x35), .rollbackTransaction(descriptor: 0x35),
            .enlistDTCTransaction(descriptor: 0x36), .defectTransaction(descriptor: 0x35), .databaseMirroringPartner("partner"),
            .promoteTransaction(cookie: ByteBuffer(bytes: [1, 2, 3, 4, 5])), .transactionManagerAddress(ByteBuffer(string: "abc")), .transactionEnded(descriptor: 0x35),
            .resetConnectionAcknowledged, .userInstanceStarted("pipe"), .routing(.init(port: 11002, server: "b.example.com")),
            .enhancedRouting(.init(port: 11002, server: "c.example.com", database: "db")),
        ])
    }

    @Test func errorsAndInfos() throws {
        let tokens = try decodeStream([try GoldenFile.errorInfo.tokens()]).tokens
        #expect(tokens.first == .error(ServerMessage(number: 50000, state: 7, severity: 16, text: "Nö 🐘", server: "srv", procedure: "dbo.p", line: 12)))
        #expect(tokens.dropFirst().first == .info(ServerMessage(number: 0, severity: 0, text: "", line: 1)))
    }
}
