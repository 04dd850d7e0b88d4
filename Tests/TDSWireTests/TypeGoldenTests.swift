import NIOCore
import TDSWire
import Testing

/// Fixtures/golden/hand-types.hex and the rare tokens' files: bytes that our encoder has not made.
@Suite struct TypeGoldenTests {
    @Test func everyTypesValueAndText() throws {
        let stream = try decodeStream([try GoldenFile.types.tokens()])
        let texts = try GoldenFile.types.texts()
        let columns = stream.tokens.compactMap { if case .columnMetadata(let columns?) = $0 { columns } else { nil } }.first
        let (metadata, row) = (try #require(columns), try #require(stream.rows.first))
        #expect(metadata.count == texts.count && row.count == texts.count)
        // All types but those that can't be a column's (TVP), or that no server sends (the NULL type).
        #expect(Set(metadata.map(\.typeInfo.dataType)) == Set(DataType.allCases).subtracting([.tvp, .null]))
        for (index, column) in metadata.enumerated() {
            let type = column.typeInfo
            let value = try TDSValue(wire: row[index], typeInfo: type)
            #expect(value.description == texts[index], "column \(index), \(type.declaration)")
            // And back: the same bytes, but for an xml's byte order mark, which we always write.
            guard let content = try value.wireContent(for: type) else {
                #expect(row[index] == nil)
                continue
            }
            if type.dataType == .xml { #expect(try TDSValue(wire: content, typeInfo: type) == value) } else { #expect(content.hex == row[index]?.hex, "\(type.declaration)") }
        }
    }

    @Test func typesAsWrittenByUs() throws {
        let tokens = try GoldenFile.types.tokens()
        let columns = try decodeStream([tokens]).tokens.compactMap { if case .columnMetadata(let columns?) = $0 { columns } else { nil } }.first
        var again = ByteBuffer()
        try again.writeColumnMetadata(try #require(columns))
        #expect(again.hex == tokens.getSlice(at: tokens.readerIndex, length: again.readableBytes)?.hex)
    }

    @Test func compute() throws {
        let bytes = try GoldenFile.compute.tokens()
        let stream = try decodeStream([bytes])
        guard stream.tokens.count == 5, case .alternateMetadata(let metadata) = stream.tokens[1] else {
            Issue.record("\(stream.tokens)")
            return
        }
        #expect(metadata.id == 1 && metadata.byColumns == [1] && metadata.columns.map(\.function) == [.sum, .count] && metadata.columns.map(\.operand) == [2, 2])
        #expect(metadata.columns.map(\.metadata.name) == ["sum", "cnt"])
        let unit = try ByteBuffer(hex: "00 00 00 00 10 27 00 00")
        let rows = [
            AlternateRow(id: 1, values: [unit, try ByteBuffer(hex: "01 00 00 00")]), AlternateRow(id: 1, values: [nil, try ByteBuffer(hex: "00 00 00 00")]),
        ]
        #expect(stream.tokens[2...3] == [.alternateRow(rows[0]), .alternateRow(rows[1])])
        #expect(stream.rows == [[try ByteBuffer(hex: "78 00 79 00"), unit]])
        var again = ByteBuffer()
        try again.writeToken(stream.tokens[0])
        try again.writeToken(stream.tokens[1])
        try again.writeRow(try #require(stream.rows.first), metadataColumns(stream))
        for row in rows { try again.writeAlternateRow(row, metadata) }
        try again.writeToken(stream.tokens[4])
        #expect(again.hex == bytes.hex)
    }

    @Test func dataClassification() throws {
        let tokens = try decodeStream([try GoldenFile.dataClassification.tokens()]).tokens
        #expect(tokens.last == .dataClassification(
            DataClassification(
                labels: [.init(name: "PII", id: "1")], informationTypes: [.init(name: "Name", id: "2")], rank: .high,
                columns: [[.init(label: 0, informationType: 0, rank: .medium)], []])))
    }

    @Test func encryption() throws {
        let bytes = try GoldenFile.encryption.tokens()
        let stream = try decodeStream([bytes])
        let columns = metadataColumns(stream)
        let key = ColumnEncryptionKey(
            databaseID: 5, keyID: 6, keyVersion: 1, metadataVersion: 1,
            values: [.init(encryptedKey: ByteBuffer(bytes: [0xD1, 0xD2, 0xD3, 0x81]), keyStoreName: "KS", keyPath: "key", algorithm: "RSA")])
        #expect(columns.map(\.encryption) == [
            nil, ColumnEncryption(typeInfo: TypeInfo(.nVarChar, maximumLength: 22, collation: .sqlLatin1GeneralCP1CIAS), kind: 1, key: key),
        ])
        guard stream.tokens.count == 4, case .returnValue(let value) = stream.tokens[2] else {
            Issue.record("\(stream.tokens)")
            return
        }
        #expect(value.encryption == ColumnEncryption(typeInfo: TypeInfo(.intN, maximumLength: 4), kind: 2, key: nil))
        var again = ByteBuffer()
        try again.writeToken(stream.tokens[0])
        try again.writeColumnMetadata(columns, columnEncryption: true)
        try again.writeRow(try #require(stream.rows.first), columns)
        try again.writeToken(stream.tokens[2])
        try again.writeToken(stream.tokens[3])
        #expect(again.hex == bytes.hex)
    }

    private func metadataColumns(_ stream: RecordedStream) -> [ColumnMetadata] {
        stream.tokens.compactMap { if case .columnMetadata(let columns?) = $0 { columns } else { nil } }.first ?? []
    }
}
