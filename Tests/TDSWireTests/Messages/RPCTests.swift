import NIOCore
@testable import TDSWire
import Testing

@Suite struct RPCTests {
    static let int = TypeInfo(.intN, maximumLength: 4)
    static let text = TypeInfo(.nVarChar, maximumLength: 8000, collation: .sqlLatin1GeneralCP1CIAS)
    static let textMax = TypeInfo(.nVarChar, maximumLength: TypeInfo.unlimited, collation: .sqlLatin1GeneralCP1CIAS)
    static let table = TableValuedParameter(
        .init(
            schema: "dbo", typeName: "Ids",
            columns: [
                ColumnMetadata("", int), ColumnMetadata("", text, flags: [.nullable, .defaultValue]), ColumnMetadata("", textMax),
                ColumnMetadata("", TypeInfo(.udt, maximumLength: TypeInfo.unlimited, udt: .init(database: "", schema: "sys", typeName: "geometry"))),
            ],
            orderUnique: [.init(column: 1, flags: [.ascending, .unique])], columnOrdering: [1, 4, 2, 3]),
        rows: [[bytes(4), bytes(10000), nil], [nil, nil, bytes(12)], [bytes(4), ByteBuffer(), bytes(1)]])

    static let message = RPCRequestMessage(
        [
            RPCRequest(
                .id(.executeSQL),
                parameters: [
                    RPCParameter("", textMax, ByteBuffer(bytes: "SELECT @a".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), 0] })),
                    RPCParameter("@a", int, bytes(4)),
                    RPCParameter("@out", int, nil, status: .byReference),
                    RPCParameter("@d", text, nil, status: .defaultValue),
                    RPCParameter("@v", TypeInfo(.ssVariant, maximumLength: 8009), bytes(6)),
                    RPCParameter("@i4", TypeInfo(.int4, maximumLength: 4), bytes(4)),
                    RPCParameter("@b", TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited), bytes(20000)),
                    RPCParameter("@empty", TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited), ByteBuffer()),
                    RPCParameter("@null", TypeInfo(.xml, maximumLength: TypeInfo.unlimited), nil),
                    RPCParameter("@text", TypeInfo(.nText, maximumLength: 0x7FFF_FFFE, collation: .sqlLatin1GeneralCP1CIAS), bytes(200)),
                    RPCParameter("@textNull", TypeInfo(.image, maximumLength: 0x7FFF_FFFF), nil),
                    RPCParameter("@tvp", .table(table)),
                    RPCParameter("@null_tvp", .table(TableValuedParameter(.init(schema: "", typeName: "T", columns: nil)))),
                ], options: [.noMetadata]),
            RPCRequest(.name("dbo.[p]"), options: .withRecompile, isExecuted: false),
            RPCRequest(
                .id(.unprepare),
                parameters: [
                    RPCParameter(
                        "@e", .scalar(TypeInfo(.bigVarBin, maximumLength: 8000), bytes(80)), status: .encrypted,
                        cipherInfo: ParameterCipherInfo(
                            typeInfo: int, algorithm: 0, algorithmName: "own", encryptionType: 1, databaseID: 2, keyID: 3, keyVersion: 4,
                            keyMetadataVersion: 5))
                ]),
        ])

    /// Without the long values, so that every prefix can be tried.
    static let small: RPCRequestMessage = {
        var message = RPCTests.message
        message.requests[0].parameters.removeAll { $0.name == "@b" }
        if let index = message.requests[0].parameters.firstIndex(where: { $0.name == "@tvp" }) {
            var table = RPCTests.table
            table.rows[0][1] = bytes(30)
            message.requests[0].parameters[index].value = .table(table)
        }
        return message
    }()

    @Test func roundTrips() throws {
        try roundTrip(Self.small, write: { try $0.writeRPCRequest($1) }, read: { try $0.readRPCRequest() }, prefixesMayDecode: true)
        var buffer = ByteBuffer()
        try buffer.writeRPCRequest(Self.message)
        #expect(try buffer.readRPCRequest() == Self.message)
    }

    @Test func trailingNoExecution() throws {
        let message = RPCRequestMessage([RPCRequest(.name("p"), isExecuted: false)])
        try roundTrip(message, write: { try $0.writeRPCRequest($1) }, read: { try $0.readRPCRequest() }, prefixesMayDecode: true)
    }

    @Test func beforeTDS72() throws {
        let type = TypeInfo(.bigVarChar, maximumLength: 20, collation: .sqlLatin1GeneralCP1CIAS)
        let message = RPCRequestMessage(
            [RPCRequest(.id(.prepExec), parameters: [RPCParameter("@p", type, bytes(5))]), RPCRequest(.name("q"), parameters: [RPCParameter("", Self.int, nil)])],
            headers: nil)
        try roundTrip(
            message, write: { try $0.writeRPCRequest($1, version: .v7_1) }, read: { try $0.readRPCRequest(version: .v7_1) }, prefixesMayDecode: true)
        var buffer = ByteBuffer()
        try buffer.writeRPCRequest(message, version: .v7_1)
        #expect(buffer.readableBytesView.contains(0x80))
        #expect(try buffer.readRPCRequestOfUnknownVersion() == message)
    }

    @Test func enclavePackages() throws {
        let message = RPCRequestMessage([RPCRequest(.name("p"), parameters: [RPCParameter("@a", Self.int, nil)], enclavePackage: bytes(9))])
        try roundTrip(
            message, write: { try $0.writeRPCRequest($1) }, read: { try $0.readRPCRequest(hasEnclavePackages: true) }, prefixesMayDecode: true)
    }

    /// Fed in two parts, split at every byte; and byte by byte.
    @Test func everySplit() throws {
        var buffer = ByteBuffer()
        try buffer.writeRPCRequest(Self.small)
        let all = buffer
        for position in 0...all.readableBytes {
            var decoder = RPCRequestDecoder()
            var collector = RPCCollector()
            for part in [all.getSlice(at: 0, length: position), all.getSlice(at: position, length: all.readableBytes - position)] {
                decoder.append(try #require(part))
                try decoder.decode(into: &collector)
            }
            try decoder.finish(into: &collector)
            #expect(collector.requests == Self.small.requests && collector.headers == Self.small.headers, "split at \(position)")
        }
        var decoder = RPCRequestDecoder()
        var collector = RPCCollector()
        for byte in all.readableBytesView {
            decoder.append(ByteBuffer(bytes: [byte]))
            try decoder.decode(into: &collector)
        }
        try decoder.finish(into: &collector)
        #expect(collector.requests == Self.small.requests)
    }

    /// A parameter written in chunks reads as one value, and its bytes leave the buffer as they come.
    @Test func largeParameterInChunks() throws {
        for length in [UInt64(300), nil] {
            var encoder = RPCRequestEncoder()
            var whole = ByteBuffer()
            var buffer = ByteBuffer()
            func take() { var bytes = buffer; buffer.clear(); whole.writeBuffer(&bytes) }
            try encoder.begin(AllHeaders(), into: &buffer)
            try encoder.beginRequest(.name("p"), into: &buffer)
            try encoder.beginLargeParameter("@b", TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited), length: length, into: &buffer)
            take()
            for _ in 0..<3 {
                try encoder.largeChunk(bytes(100), into: &buffer)
                #expect(buffer.readableBytes == 104)
                take()
            }
            try encoder.largeChunk(ByteBuffer(), into: &buffer)
            try encoder.endLargeParameter(into: &buffer)
            try encoder.finish(into: &buffer)
            take()
            let message = try whole.readRPCRequest()
            guard case .scalar(_, let content?) = message.requests[0].parameters[0].value else { Issue.record("no value"); continue }
            #expect(content.hex == (bytes(100).hex + " " + bytes(100).hex + " " + bytes(100).hex))
        }
    }

    @Test func encoderRefusesDisorder() throws {
        var buffer = ByteBuffer()
        var encoder = RPCRequestEncoder()
        #expect(throws: WireError.self) { try encoder.beginRequest(.name("p"), into: &buffer) }
        #expect(throws: WireError.self) { try encoder.begin(nil, into: &buffer) }
        try encoder.begin(AllHeaders(), into: &buffer)
        #expect(throws: WireError.self) { try encoder.finish(into: &buffer) }
        try encoder.beginRequest(.name("p"), into: &buffer)
        #expect(throws: WireError.self) { try encoder.tableRow([], into: &buffer) }
        #expect(throws: WireError.self) { try encoder.beginLargeParameter("@x", Self.int, into: &buffer) }
        try encoder.beginLargeParameter("@x", Self.textMax, length: 5, into: &buffer)
        #expect(throws: WireError.self) { try encoder.finish(into: &buffer) }
        #expect(throws: WireError.self) { try encoder.largeChunk(bytes(6), into: &buffer) }
        #expect(throws: WireError.self) { try encoder.endLargeParameter(into: &buffer) }
        try encoder.largeChunk(bytes(5), into: &buffer)
        try encoder.endLargeParameter(into: &buffer)
        try encoder.finish(into: &buffer)
        #expect(throws: WireError.self) { try encoder.beginRequest(.name("p"), into: &buffer) }
    }

    /// Found by fuzzing: the flags of a table were dropped.
    @Test func tablesAreInputOnly() throws {
        var bytes = try ByteBuffer(hex: """
            16 00 00 00 12 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00 00 01 03 00 66 00 6f 00 6f 00 00 00 00 4b f3 00 03 64 00 62 00 6f 00 07 74 00 76 00
            70 00 74 00 79 00 70 00 65 00 01 00 00 00 00 00 00 00 26 01 00 00 01 01 02 00
            """)
        #expect(throws: WireError(.malformed, "RPCRequest StatusFlags", "a table is input only")) { try bytes.readRPCRequest() }
        for status in [RPCParameter.Status.byReference, .defaultValue, .encrypted] {
            let message = RPCRequestMessage([RPCRequest(.name("p"), parameters: [RPCParameter("@t", .table(Self.table), status: status)])])
            #expect(throws: WireError.self) { var buffer = ByteBuffer(); try buffer.writeRPCRequest(message) }
        }
    }

    @Test func valuesThatDoNotFit() throws {
        for parameter in [
            RPCParameter(String(repeating: "x", count: 129), Self.int, nil), RPCParameter("@a", Self.int, bytes(5)), RPCParameter("@a", Self.text, bytes(8001)),
            RPCParameter("@a", TypeInfo(.int4, maximumLength: 4), nil), RPCParameter("@a", Self.int, nil, status: .encrypted),
            RPCParameter("@a", .table(TableValuedParameter(Self.table.head, rows: [[nil]]))),
            RPCParameter("@a", .table(TableValuedParameter(.init(schema: "", typeName: "", columns: [])))),
        ] {
            var buffer = ByteBuffer()
            #expect(throws: WireError.self) { try buffer.writeRPCRequest(RPCRequestMessage([RPCRequest(.name("p"), parameters: [parameter])])) }
        }
    }

    @Test func bulkLoad() throws {
        let load = BulkLoad(
            columns: [ColumnMetadata("id", Self.int), ColumnMetadata("t", Self.textMax), ColumnMetadata("i", TypeInfo(.image, maximumLength: 1000), tableName: ["t"])],
            rows: [[bytes(4), bytes(30), bytes(40)], [nil, nil, nil], [bytes(4), ByteBuffer(), ByteBuffer()]])
        var whole = ByteBuffer()
        try whole.writeBulkLoad(load)
        var copy = whole
        #expect(try copy.readBulkLoad() == load && copy.readableBytes == 0)
        // Without DONE it can't be told from a shorter load; anywhere else a cut is an error.
        var counts: [Int] = []
        for length in 0..<whole.readableBytes {
            guard var prefix = whole.getSlice(at: 0, length: length), let shorter = try? prefix.readBulkLoad() else { continue }
            #expect(shorter.columns == load.columns && shorter.rows == Array(load.rows.prefix(shorter.rows.count)))
            counts.append(shorter.rows.count)
        }
        // The last but one without DONE, the last with one of TDS 7.1, as Microsoft's clients send it whatever the version.
        #expect(counts == [0, 1, 2, 3, 3])
        var wrong = ByteBuffer()
        wrong.writeDone(Done())
        #expect(throws: WireError.self) { try wrong.readBulkLoad() }
        var order = ByteBuffer()
        try order.writeColumnMetadata(load.columns)
        try order.writeOrder([1])
        #expect(throws: WireError.self) { try order.readBulkLoad() }
    }

    /// As FreeTDS sends it (Fixtures/recordings/pymssql.pcap.gz).
    @Test func bulkLoadWithoutDone() throws {
        var load = ByteBuffer()
        var encoder = BulkLoadEncoder(columns: [ColumnMetadata("id", Self.int)])
        try encoder.begin(into: &load)
        try encoder.row([bytes(4)], into: &load)
        var empty = ByteBuffer()
        #expect(throws: WireError(.truncated, "BulkLoadBCP")) { try empty.readBulkLoad() }
        var cut = load.getSlice(at: 0, length: load.readableBytes - 1) ?? ByteBuffer()
        #expect(throws: WireError(.truncated, "BulkLoadBCP")) { try cut.readBulkLoad() }
        #expect(try load.readBulkLoad().rows == [[bytes(4)]])
    }

    /// What mssql-python 1.16 sends in a bulk load: the type's byte in place of a decimal's length.
    @Test func decimalLengthOfMicrosoftsRustClient() throws {
        var buffer = ByteBuffer(bytes: [0x6A, 0x6A, 18, 2])
        let type = try buffer.readTypeInfo(.columnMetadata)
        #expect(type == TypeInfo(.decimalN, maximumLength: 17, precision: 18, scale: 2))
        for length in [18, 0x6C, 255] as [UInt8] {
            var other = ByteBuffer(bytes: [0x6A, length, 18, 2])
            #expect(throws: WireError.self) { try other.readTypeInfo(.columnMetadata) }
        }
    }

    @Test func wellKnownProcedures() {
        #expect(WellKnownProcedure.executeSQL.name == "sp_executesql" && WellKnownProcedure(name: "SP_UNPREPARE") == .unprepare)
        #expect(WellKnownProcedure(rawValue: 16).name == "procedure 16" && WellKnownProcedure(name: "sp_who") == nil)
        for number in UInt16(1)...15 { #expect(WellKnownProcedure(name: WellKnownProcedure(rawValue: number).name)?.rawValue == number) }
    }

    @Test func packetEncoder() throws {
        var encoder = PacketEncoder(type: .rpc, packetSize: 512, firstStatus: .resetConnection)
        #expect(encoder.append(bytes(504)).isEmpty && !encoder.hasBegun)
        let packets = encoder.append(bytes(1008))
        #expect(packets.map(\.header.length) == [512, 512] && packets.map(\.header.packetID) == [1, 2])
        #expect(packets.map(\.header.status) == [.resetConnection, []])
        let last = encoder.finish()
        #expect(last.header.length == 512 && last.header.status == .endOfMessage && last.header.packetID == 3)
        var abandoned = PacketEncoder(type: .rpc, packetSize: 100)
        #expect(abandoned.packetSize == 512)
        _ = abandoned.append(bytes(600))
        let end = abandoned.abandon()
        #expect(end.header.status == [.endOfMessage, .ignore] && end.header.length == 8 && end.header.packetID == 2)
    }
}
