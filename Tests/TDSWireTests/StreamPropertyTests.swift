import NIOCore
import TDSWire
import Testing

/// A generator with a seed (SplitMix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func bool() -> Bool { Bool.random(using: &self) }
    mutating func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }) }
    mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T { T.random(in: T.min...T.max, using: &self) }

    /// Any characters, within so many UTF-16 units.
    mutating func text(_ limit: Int) -> String {
        let alphabet: [Character] = ["a", "Z", "0", "_", " ", "'", "ä", "ß", "中", "ø", "🐘", "\u{301}", "\u{0}"]
        var text = ""
        for _ in 0..<int(0...max(0, limit / 2)) { text.append(alphabet[int(0...alphabet.count - 1)]) }
        return text
    }

    mutating func pick<C: RandomAccessCollection>(_ choices: C) -> C.Element { choices[choices.index(choices.startIndex, offsetBy: int(0...choices.count - 1))] }
}

/// Random messages and token streams: what is encoded decodes to the same, however it is cut.
@Suite struct StreamPropertyTests {
    static let collation = Collation(info: 0x0409 | 0x00D0_0000, sortID: 52)

    static func type(_ g: inout SeededGenerator) -> TypeInfo {
        switch g.int(0...24) {
        case 0: TypeInfo(.int4, maximumLength: 4)
        case 1: TypeInfo(.int8, maximumLength: 8)
        case 2: TypeInfo(.bit, maximumLength: 1)
        case 3: TypeInfo(.money, maximumLength: 8)
        case 4: TypeInfo(.intN, maximumLength: g.pick([1, 2, 4, 8]))
        case 5: TypeInfo(.guid, maximumLength: 16)
        case 6: TypeInfo(.decimalN, maximumLength: 17, precision: UInt8(g.int(1...38)), scale: 0)
        case 7: TypeInfo(.dateN, maximumLength: 3)
        case 8: TypeInfo(temporal: g.pick([.timeN, .dateTime2N, .dateTimeOffsetN]), scale: UInt8(g.int(0...7)))
        case 9: TypeInfo(.bigVarChar, maximumLength: g.int(1...8000), collation: collation)
        case 10: TypeInfo(.nVarChar, maximumLength: 2 * g.int(1...4000), collation: collation)
        case 11: TypeInfo(.bigVarBin, maximumLength: g.int(1...8000))
        case 12: TypeInfo(.nChar, maximumLength: 20, collation: collation)
        case 13: TypeInfo(.bigVarChar, maximumLength: TypeInfo.unlimited, collation: collation)
        case 14: TypeInfo(.nVarChar, maximumLength: TypeInfo.unlimited, collation: collation)
        case 15: TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited)
        case 16: TypeInfo(.xml, maximumLength: TypeInfo.unlimited, xmlSchema: g.bool() ? nil : .init(database: g.text(20), owningSchema: g.text(20), collection: g.text(300)))
        case 17: TypeInfo(.udt, maximumLength: TypeInfo.unlimited, udt: .init(database: g.text(9), schema: "sys", typeName: "geometry", assemblyQualifiedName: g.text(100)))
        case 18: TypeInfo(.json, maximumLength: TypeInfo.unlimited)
        case 19: TypeInfo(.vector, maximumLength: 8 + 4 * g.int(1...100), vectorElementType: 0)
        case 20: TypeInfo(.text, maximumLength: 0x7FFF_FFFF, collation: collation)
        case 21: TypeInfo(.nText, maximumLength: 0x7FFF_FFFE, collation: collation)
        case 22: TypeInfo(.image, maximumLength: 0x7FFF_FFFF)
        case 23: TypeInfo(.ssVariant, maximumLength: 8009)
        default: TypeInfo(.fltN, maximumLength: g.pick([4, 8]))
        }
    }

    static func value(_ type: TypeInfo, _ g: inout SeededGenerator) -> ByteBuffer? {
        func length(_ g: inout SeededGenerator) -> Int { g.int(0...9) == 0 ? g.int(0...20000) : g.int(0...40) }
        switch type.layout {
        case .fixed(let size): return g.bytes(size)
        case .byteLength(let size): return g.int(0...3) == 0 ? nil : g.bytes(g.int(1...max(1, size)))
        case .shortLength(let size): return g.int(0...3) == 0 ? nil : g.bytes(min(size, length(&g)))
        case .longLength: return g.int(0...3) == 0 ? nil : g.bytes(g.int(1...8000))
        case .textPointer, .plp: return g.int(0...3) == 0 ? nil : g.bytes(length(&g))
        }
    }

    static func columns(_ g: inout SeededGenerator) -> [ColumnMetadata] {
        (0..<g.pick([1, 2, 7, 8, 9, 17])).map { index in
            let type = type(&g)
            let table: [String] =
                switch type.dataType {
                case .text, .nText, .image: (0..<g.int(1...4)).map { _ in g.text(20) }
                default: []
                }
            return ColumnMetadata("c\(index)" + g.text(20), type, flags: g.pick([[], .nullable, [.nullable, .updatable], .identity]), userType: g.integer(), tableName: table)
        }
    }

    static func message(_ g: inout SeededGenerator, severity: UInt8) -> ServerMessage {
        ServerMessage(number: g.integer(), state: g.integer(), severity: severity, text: g.text(500), server: g.text(100), procedure: g.text(100), line: g.integer())
    }

    static func token(_ g: inout SeededGenerator) -> Token {
        switch g.int(0...15) {
        case 0: return .done(Done(g.pick([.done, .doneProc, .doneInProc]), status: .init(rawValue: g.integer()), currentCommand: g.integer(), rowCount: g.integer()))
        case 1: return .error(message(&g, severity: UInt8(g.int(11...25))))
        case 2: return .info(message(&g, severity: UInt8(g.int(0...10))))
        case 3: return .returnStatus(g.integer())
        case 4: return .order((0..<g.int(0...20)).map { _ in g.integer() })
        case 5: return .offset(identifier: g.integer(), length: g.integer())
        case 6: return .sspi(g.bytes(g.int(0...200)))
        case 7: return .tabName((0..<g.int(0...5)).map { _ in (0..<g.int(1...4)).map { _ in g.text(50) } })
        case 8:
            return .colInfo((0..<g.int(0...5)).map { _ in
                let renamed = g.bool()
                return ColInfo(column: g.integer(), table: g.integer(), status: renamed ? [.differentName, .key] : .hidden, name: renamed ? g.text(40) : nil)
            })
        case 9: return .featureExtAck((0..<g.int(0...4)).map { FeatureAcknowledgement(FeatureID(rawValue: UInt8($0)), data: g.bytes(g.int(0...50))) })
        case 10: return .fedAuthInfo(FedAuthInfo(stsURL: g.text(200), spn: g.text(200)))
        case 11:
            return .sessionState(SessionState(
                sequenceNumber: g.integer(), isRecoverable: g.bool(), states: (0..<g.int(0...3)).map { .init(id: UInt8($0), value: g.bytes(g.int(0...400))) }))
        case 12:
            let type = type(&g)
            return .returnValue(ReturnValue(ordinal: g.integer(), name: g.text(50), status: 1, userType: g.integer(), flags: .nullable, typeInfo: type, value: value(type, &g)))
        case 13: return .loginAck(LoginAck(version: .v7_4, programName: g.text(60), serverVersion: .init(major: g.integer(), minor: g.integer(), build: g.integer())))
        default: return .environmentChange(change(&g))
        }
    }

    static func change(_ g: inout SeededGenerator) -> EnvironmentChange {
        let descriptor = UInt64(g.int(1...Int.max))
        switch g.int(0...14) {
        case 14: return .enlistDTCTransaction(descriptor: descriptor)
        case 0: return .database(new: g.text(120), old: g.text(120))
        case 1: return .language(new: g.text(120), old: g.text(120))
        case 2: return .packetSize(new: g.int(512...32767), old: g.int(512...32767))
        case 3: return .collation(new: g.bool() ? collation : nil, old: g.bool() ? collation : nil)
        case 4: return .beginTransaction(descriptor: descriptor)
        case 5: return .commitTransaction(descriptor: descriptor)
        case 6: return .rollbackTransaction(descriptor: descriptor)
        case 7: return .transactionEnded(descriptor: descriptor)
        case 8: return .defectTransaction(descriptor: descriptor)
        case 9: return .databaseMirroringPartner(g.text(100))
        case 10: return .promoteTransaction(cookie: g.bytes(g.int(0...300)))
        case 11: return .transactionManagerAddress(g.bytes(g.int(0...200)))
        case 12: return .routing(.init(port: g.integer(), server: g.text(200)))
        default: return .enhancedRouting(.init(port: g.integer(), server: g.text(200), database: g.text(100)))
        }
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>) func tokenStreams(seed: UInt64) throws {
        var g = SeededGenerator(seed: seed)
        var bytes = ByteBuffer()
        var expected: [RecordedStream.Event] = []
        for _ in 0..<g.int(1...12) {
            if g.bool() {
                let columns = Self.columns(&g)
                try bytes.writeColumnMetadata(columns)
                expected += [.columns(columns), .token(.columnMetadata(columns))]
                for _ in 0..<g.int(0...6) {
                    let row = columns.map { Self.value($0.typeInfo, &g) }
                    if g.bool() { try bytes.writeNBCRow(row, columns) } else { try bytes.writeRow(row, columns) }
                    expected.append(.row(row))
                }
            }
            let token = Self.token(&g)
            try bytes.writeToken(token, dataClassificationVersion: 2)
            expected.append(.token(token))
        }
        #expect(try decodeStream([bytes]).events == expected, "seed \(seed)")
        // In pieces of random sizes, many of a byte or two.
        for _ in 0..<4 {
            var rest = bytes
            var parts: [ByteBuffer] = []
            while rest.readableBytes > 0, let part = rest.readSlice(length: min(rest.readableBytes, g.bool() ? g.int(1...3) : g.int(1...700))) { parts.append(part) }
            #expect(try decodeStream(parts).events == expected, "seed \(seed)")
        }
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>) func clientMessages(seed: UInt64) throws {
        var g = SeededGenerator(seed: seed)
        let headers = AllHeaders(
            transactionDescriptor: g.integer(), outstandingRequestCount: g.integer(),
            queryNotification: g.bool() ? nil : .init(id: g.text(50), serviceBrokerDeployment: g.text(50), timeout: g.bool() ? nil : g.integer()),
            traceActivity: g.bool() ? nil : .init(id: g.bytes(16), sequence: g.integer()))
        func check<M: Equatable>(_ message: M, _ write: (inout ByteBuffer, M) throws -> Void, _ read: (inout ByteBuffer) throws -> M) throws {
            var buffer = ByteBuffer()
            try write(&buffer, message)
            let decoded = try read(&buffer)
            #expect(decoded == message && buffer.readableBytes == 0, "seed \(seed)")
        }
        try check(SQLBatchMessage(g.text(3000), headers: headers), { try $0.writeSQLBatch($1) }, { try $0.readSQLBatch() })
        try check(
            PreLogin(
                version: .init(major: g.integer(), minor: g.integer(), build: g.integer(), subBuild: g.integer()), encryption: g.bool() ? nil : .init(rawValue: g.integer()),
                instance: g.bool() ? nil : .name(ByteBuffer(string: g.text(30).replacing("\0", with: ""))), threadID: g.bool() ? nil : .id(g.integer()),
                mars: g.bool() ? nil : g.bool(), traceID: g.bool() ? nil : .init(connectionID: g.bytes(16), activityID: g.bytes(16), activitySequence: g.integer()),
                fedAuthRequired: g.bool() ? nil : 1, nonce: g.bool() ? nil : g.bytes(32),
                unknownOptions: (0..<g.int(0...2)).map { .init(token: UInt8(100 + $0), data: g.bytes(g.int(0...20))) }),
            { try $0.writePreLogin($1) }, { try $0.readPreLogin(from: .client) })
        try check(
            Login7(
                packetSize: g.integer(), clientProgramVersion: g.integer(), clientPID: g.integer(), connectionID: g.integer(), options1: .init(rawValue: g.integer()),
                options2: .init(rawValue: g.integer()), typeFlags: .init(rawValue: g.integer()), options3: [.extension, .changePassword], timeZone: g.integer(), lcid: g.integer(),
                hostName: g.text(120), userName: g.text(120), password: g.text(120), applicationName: g.text(120), serverName: g.text(120), libraryName: g.text(120),
                language: g.text(120), database: g.text(120), clientID: [1, 2, 3, 4, 5, 6], sspi: g.bool() ? nil : g.bytes(g.int(1...70000)), attachDatabaseFile: g.text(250),
                newPassword: g.text(120), features: (0..<g.int(0...4)).map { FeatureRequest(FeatureID(rawValue: UInt8($0)), data: g.bytes(g.int(0...9000))) }),
            { try $0.writeLogin7($1) }, { try $0.readLogin7() })
        let requests = (0..<g.int(1...3)).map { _ in
            RPCRequest(
                g.bool() ? .name(g.text(200)) : .id(.init(rawValue: UInt16(g.int(1...15)))),
                parameters: (0..<g.int(0...4)).map { _ in Self.parameter(&g) }, options: .init(rawValue: g.integer()), isExecuted: g.bool())
        }
        try check(RPCRequestMessage(requests, headers: headers), { try $0.writeRPCRequest($1) }, { try $0.readRPCRequest() })
        let columns = Self.columns(&g)
        try check(
            BulkLoad(columns: columns, rows: (0..<g.int(0...5)).map { _ in columns.map { Self.value($0.typeInfo, &g) } }), { try $0.writeBulkLoad($1) }, { try $0.readBulkLoad() })
    }

    static func parameter(_ g: inout SeededGenerator) -> RPCParameter {
        func type(_ g: inout SeededGenerator) -> TypeInfo {
            var type = Self.type(&g)
            type.udt?.assemblyQualifiedName = nil
            return type
        }
        guard g.int(0...4) == 0 else {
            let type = type(&g)
            return RPCParameter(g.text(60), type, value(type, &g), status: g.pick([[], .byReference, .defaultValue]))
        }
        let columns = (0..<g.int(1...5)).map { _ in ColumnMetadata("", type(&g), flags: g.int(0...4) == 0 ? .defaultValue : .nullable, userType: 0) }
        let head = TableValuedParameter.Head(schema: g.text(40), typeName: g.text(40), columns: columns, columnOrdering: g.bool() ? [] : (1...columns.count).map { UInt16($0) })
        let rows = head.sentColumns.isEmpty ? [] : (0..<g.int(0...5)).map { _ in head.sentColumns.map { value($0.typeInfo, &g) } }
        return RPCParameter(g.text(60), .table(TableValuedParameter(head, rows: rows)))
    }

    /// Bytes without any sense: a result or a ``WireError``, whatever they are.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func noise(seed: UInt64) throws {
        var g = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let noise = g.bytes(g.int(0...300))
            var tokens = ByteBuffer(bytes: [g.pick(TokenType.allCases).rawValue])
            tokens.writeImmutableBuffer(noise)
            refuses { _ = try decodeStream([tokens]) }
            refuses { var b = noise; _ = try b.readPreLogin(from: .client) }
            refuses { var b = noise; _ = try b.readLogin7() }
            refuses { var b = noise; _ = try b.readRPCRequest(version: .v7_1) }
            refuses { var b = noise; _ = try b.readTransactionManagerRequest(version: .v7_1) }
            refuses { var b = noise; _ = try b.readAllHeaders() }
            refuses { var b = noise; _ = try b.readFedAuthToken() }
            refuses { var b = noise; _ = try b.readBulkLoad() }
            refuses { var b = noise; _ = try b.readSMPHeader() }
        }
    }

    /// Whether it reads or not does not matter; only that nothing but our errors comes of it.
    private func refuses(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            #expect(error is WireError || error is IncompleteStream)
        }
    }
}
