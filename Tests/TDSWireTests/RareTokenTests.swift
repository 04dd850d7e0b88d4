import NIOCore
import TDSWire
import Testing

/// ALTMETADATA, ALTROW, DATACLASSIFICATION, and COLMETADATA and RETURNVALUE with encryption: to bytes and back, split at every byte, cut
/// at every byte, and with random bytes in them.
@Suite struct RareTokenTests {
    struct Decoded {
        var tokens: [Token]
        var values: [[UInt8]?]
        var complete: Bool
    }

    /// Everything that a decoder says about a stream that arrives in `pieces`.
    static func decode(_ stream: ByteBuffer, cutAt cuts: [Int], _ configure: (inout TokenStreamDecoder) -> Void = { _ in }) throws(WireError) -> Decoded {
        var decoder = TokenStreamDecoder()
        configure(&decoder)
        var sink = AllValuesSink()
        var tokens: [Token] = []
        var start = 0
        for cut in cuts + [stream.readableBytes] {
            decoder.append(copying: stream.readableBytesSpan.extracting(start..<cut))
            start = cut
            loop: while true {
                switch try decoder.decode(into: &sink) {
                case .token(let token): tokens.append(token)
                case .needMoreData: break loop
                case .sinkFull: break
                }
            }
        }
        return Decoded(tokens: tokens, values: sink.values, complete: decoder.isAtTokenBoundary)
    }

    /// Decodes `stream` whole, split once anywhere, and byte for byte: always `tokens`; cut short it is never complete.
    static func check(_ stream: ByteBuffer, _ tokens: [Token], values: [[UInt8]?] = [], _ configure: (inout TokenStreamDecoder) -> Void = { _ in }) throws {
        let splits = [[]] + (0...stream.readableBytes).map { [$0] } + [Array(0..<stream.readableBytes)]
        for cuts in splits {
            let result = try decode(stream, cutAt: cuts, configure)
            #expect(result.tokens == tokens, "split at \(cuts.prefix(3))")
            #expect(result.values == values, "split at \(cuts.prefix(3))")
            #expect(result.complete)
        }
        var random = ValuePropertyTests.Seeded(state: 7)
        for length in 0..<stream.readableBytes {
            guard let cut = stream.getSlice(at: stream.readerIndex, length: length) else { continue }
            let result = try decode(cut, cutAt: [], configure)
            #expect(!result.complete || result.tokens.count < tokens.count)
        }
        for _ in 0..<2000 {
            var mutated = stream
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let at = Int.random(in: 0..<stream.readableBytes, using: &random)
                mutated.setInteger(UInt8.random(in: 0...255, using: &random), at: at)
            }
            _ = try? decode(mutated, cutAt: [], configure)
        }
    }

    @Test func computeRows() throws {
        let metadata = [ColumnMetadata("type", TypeInfo(.nChar, maximumLength: 4, collation: .sqlLatin1GeneralCP1CIAS)), ColumnMetadata("price", TypeInfo(.moneyN, maximumLength: 8))]
        let alternate = AlternateMetadata(
            id: 1, byColumns: [1],
            columns: [
                .init(.sum, operand: 2, ColumnMetadata("sum", TypeInfo(.moneyN, maximumLength: 8))),
                .init(.count, operand: 2, ColumnMetadata("cnt", TypeInfo(.int4, maximumLength: 4), flags: [])),
                .init(.maximum, operand: 1, ColumnMetadata("", TypeInfo(.nVarChar, maximumLength: 8, collation: .sqlLatin1GeneralCP1CIAS))),
            ])
        let money = try TDSMoney(tenThousandths: 12345).wireContent(TypeInfo(.moneyN, maximumLength: 8))
        let row = AlternateRow(id: 1, values: [money, ByteBuffer(integer: Int32(2), endianness: .little), nil])
        let done = Done(status: [.count], currentCommand: 0xC1, rowCount: 1)
        var stream = ByteBuffer()
        try stream.writeColumnMetadata(metadata)
        try stream.writeAlternateMetadata(alternate)
        stream.writeInteger(UInt8(0xD1))
        try stream.writeWireValue(ByteBuffer(bytes: [0x61, 0, 0x62, 0]), metadata[0].typeInfo)
        try stream.writeWireValue(money, metadata[1].typeInfo)
        try stream.writeAlternateRow(row, alternate)
        stream.writeDone(done)
        try Self.check(
            stream, [.columnMetadata(metadata), .alternateMetadata(alternate), .alternateRow(row), .done(done)],
            values: [[0x61, 0, 0x62, 0], Array(money.readableBytesView)])
        // MS-TDS 2.2.7.1: the fields in their order.
        var golden = ByteBuffer()
        try golden.writeAlternateMetadata(
            AlternateMetadata(id: 2, byColumns: [1, 3], columns: [.init(.average, operand: 4, ColumnMetadata("a", TypeInfo(.int4, maximumLength: 4), flags: []))]))
        #expect(golden == CLRValueTests.hex("88 0100 0200 02 0100 0300 4F 0400 00000000 0000 38 01 6100"))
        // A row of a COMPUTE that the statement doesn't have.
        var stray = ByteBuffer()
        try stray.writeAlternateRow(row, alternate)
        #expect(throws: WireError.self) { try Self.decode(stray, cutAt: []) }
    }

    @Test func dataClassification() throws {
        let labels = [DataClassification.Term(name: "Confidential", id: "331f0b13-76b5-2f1b-a77b-def5a73c73c2"), .init(name: "Public", id: "")]
        let types = [DataClassification.Term(name: "Financial", id: "c44193e1-0e58-4b2a-9001-f7d6e7bc1373")]
        for version in UInt8(1)...2 {
            let rank: (DataClassification.Rank) -> DataClassification.Rank? = { version == 2 ? $0 : nil }
            let classification = DataClassification(
                labels: labels, informationTypes: types, rank: rank(.critical),
                columns: [[], [.init(label: 0, informationType: 0, rank: rank(.high)), .init(label: 1, informationType: nil, rank: rank(.notDefined))], []])
            let ack = [FeatureAcknowledgement(.dataClassification, data: ByteBuffer(bytes: [version, 1]))]
            var stream = ByteBuffer()
            stream.writeFeatureExtAck(ack)
            try stream.writeDataClassification(classification, version: version)
            try Self.check(stream, [.featureExtAck(ack), .dataClassification(classification)])
        }
        var golden = ByteBuffer()
        try golden.writeDataClassification(
            DataClassification(labels: [.init(name: "L", id: "1")], informationTypes: [], rank: .low, columns: [[.init(label: 0, rank: .low)]]))
        #expect(golden == CLRValueTests.hex("A3 1A00 0100 01 4C00 01 3100 0000 0A000000 0100 0100 0000 FFFF 0A000000"))
        // Without acknowledgement the token is unknown, and an index beyond the labels is an error.
        #expect(throws: WireError.self) { try Self.decode(golden, cutAt: []) }
        golden.setInteger(UInt16(1), at: golden.writerIndex - 8, endianness: .little)
        #expect(throws: WireError.self) { try Self.decode(golden, cutAt: []) { $0.dataClassificationVersion = 2 } }
    }

    @Test func encryptedColumns() throws {
        let key = ColumnEncryptionKey(
            databaseID: 5, keyID: 6, keyVersion: 1, metadataVersion: 0x0102_0304_0506_0708,
            values: [
                .init(
                    encryptedKey: ByteBuffer(repeating: 0xD1, count: 300), keyStoreName: "AZURE_KEY_VAULT", keyPath: "https://vault.example/keys/1",
                    algorithm: "RSA_OAEP")
            ])
        var other = key
        other.keyID = 7
        other.values = []
        let plain = TypeInfo(.nVarChar, maximumLength: 22, collation: .sqlLatin1GeneralCP1CIAS)
        let cipher = TypeInfo(.bigVarBin, maximumLength: 65)
        let columns = [
            ColumnMetadata("id", TypeInfo(.int4, maximumLength: 4), flags: []),
            ColumnMetadata("ssn", cipher, flags: [.nullable, .encrypted], encryption: ColumnEncryption(typeInfo: plain, kind: 1, key: key)),
            ColumnMetadata(
                "x", cipher, flags: [.nullable, .encrypted],
                encryption: ColumnEncryption(typeInfo: TypeInfo(.intN, maximumLength: 4), algorithm: 0, algorithmName: "MINE", kind: 2, key: other)),
            ColumnMetadata("again", cipher, flags: [.nullable, .encrypted], encryption: ColumnEncryption(typeInfo: plain, kind: 2, key: key)),
        ]
        let result = ReturnValue(
            ordinal: 3, name: "@p", flags: [.encrypted], typeInfo: cipher, encryption: ColumnEncryption(typeInfo: plain, kind: 1, key: nil),
            value: ByteBuffer(bytes: [0xD1, 2, 3]))
        let ack = [FeatureAcknowledgement(.columnEncryption, data: ByteBuffer(bytes: [1]))]
        var stream = ByteBuffer()
        stream.writeFeatureExtAck(ack)
        try stream.writeColumnMetadata(columns, columnEncryption: true)
        stream.writeInteger(UInt8(0xD2))
        stream.writeInteger(UInt8(0b1100))
        stream.writeInteger(Int32(9), endianness: .little)
        try stream.writeWireValue(ByteBuffer(bytes: [1, 2, 3]), cipher)
        try stream.writeReturnValue(result)
        try stream.writeColumnMetadata([columns[0]], columnEncryption: true)
        try Self.check(
            stream, [.featureExtAck(ack), .columnMetadata(columns), .returnValue(result), .columnMetadata([columns[0]])],
            values: [[9, 0, 0, 0], [1, 2, 3], nil, nil])
        // Not negotiated: neither written nor read.
        var refused = ByteBuffer()
        #expect(throws: WireError.self) { try refused.writeColumnMetadata(columns) }
        var withoutAck = ByteBuffer()
        try withoutAck.writeReturnValue(result)
        #expect(throws: WireError.self) { try Self.decode(withoutAck, cutAt: []) }
    }

    /// Bytes of an unfinished token that look like a row's token byte are not a row.
    @Test func anUnfinishedTokenIsNotARow() throws {
        let columns = [ColumnMetadata("a", TypeInfo(.int4, maximumLength: 4), flags: []), ColumnMetadata("b", TypeInfo(.int4, maximumLength: 4), flags: [], userType: 0xD1)]
        let value = ReturnValue(ordinal: 0, name: "@a", typeInfo: TypeInfo(.bigVarBin, maximumLength: TypeInfo.unlimited), value: ByteBuffer(repeating: 0xD1, count: 20))
        var stream = ByteBuffer()
        try stream.writeColumnMetadata(columns)
        try stream.writeReturnValue(value)
        try Self.check(stream, [.columnMetadata(columns), .returnValue(value)])
    }
}

/// Keeps all values.
struct AllValuesSink: RowSink {
    var values: [[UInt8]?] = []
    mutating func columns(_ columns: [ColumnMetadata]) {}
    mutating func rowBegins() {}
    mutating func null(column: Int) { values.append(nil) }
    mutating func value(_ bytes: RawSpan, column: Int) { values.append(bytes.withUnsafeBytes { Array($0) }) }
    mutating func largeValueBegins(column: Int, length: UInt64?) { values.append([]) }
    mutating func largeValueChunk(_ bytes: RawSpan, column: Int) {
        values[values.count - 1] = (values[values.count - 1] ?? []) + bytes.withUnsafeBytes { Array($0) }
    }
    mutating func largeValueEnds(column: Int) {}
    mutating func rowEnds() {}
}
