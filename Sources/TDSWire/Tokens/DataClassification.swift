public import NIOCore

/// DATACLASSIFICATION (MS-TDS 2.2.7.5): how sensitive a result's columns are, once the DATACLASSIFICATION feature was acknowledged.
///
/// ```
/// +------+--------+--------+--------------------+--------+--------------------+------+---------+ then per column:
/// | 0xA3 | Length | labels | name, id           | types  | name, id           | rank | columns | +---------+ and per source:
/// | BYTE | USHORT | USHORT | B_VARCHAR, each    | USHORT | B_VARCHAR, each    | LONG | USHORT  | | sources | label, type, rank
/// +------+--------+--------+--------------------+--------+--------------------+------+---------+ | USHORT  | USHORT, USHORT, LONG
///                                                                                                +---------+
/// ```
/// The ranks are there in version 2 only.
public struct DataClassification: Hashable, Sendable {
    /// A sensitivity label or an information type.
    public struct Term: Hashable, Sendable {
        public var name: String
        public var id: String

        public init(name: String, id: String) {
            self.name = name
            self.id = id
        }
    }

    /// How sensitive something is.
    public struct Rank: RawRepresentable, Hashable, Sendable {
        public var rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        public static let notDefined = Rank(rawValue: -1)
        public static let none = Rank(rawValue: 0)
        public static let low = Rank(rawValue: 10)
        public static let medium = Rank(rawValue: 20)
        public static let high = Rank(rawValue: 30)
        public static let critical = Rank(rawValue: 40)
    }

    /// What one source column brings into a column of the result.
    public struct Property: Hashable, Sendable {
        /// An index into ``DataClassification/labels``.
        public var label: Int?
        /// An index into ``DataClassification/informationTypes``.
        public var informationType: Int?
        /// In version 2 only.
        public var rank: Rank?

        public init(label: Int? = nil, informationType: Int? = nil, rank: Rank? = nil) {
            self.label = label
            self.informationType = informationType
            self.rank = rank
        }
    }

    public var labels: [Term]
    public var informationTypes: [Term]
    /// The rank of the whole result, in version 2 only.
    public var rank: Rank?
    /// For every column of the result the properties of what it is made from.
    public var columns: [[Property]]

    public init(labels: [Term], informationTypes: [Term], rank: Rank? = nil, columns: [[Property]]) {
        self.labels = labels
        self.informationTypes = informationTypes
        self.rank = rank
        self.columns = columns
    }
}

extension ByteBuffer {
    /// Reads a DATACLASSIFICATION's body, after token byte and length.
    mutating func readDataClassification(version: UInt8) throws(WireError) -> DataClassification {
        let labels = try readClassificationTerms("DATACLASSIFICATION SensitivityLabels")
        let types = try readClassificationTerms("DATACLASSIFICATION InformationTypes")
        var classification = DataClassification(labels: labels, informationTypes: types, columns: [])
        if version >= 2 { classification.rank = DataClassification.Rank(rawValue: try readLE("DATACLASSIFICATION SensitivityRank")) }
        for _ in 0..<(try readLE("DATACLASSIFICATION NumResultSetColumns", as: UInt16.self)) {
            var properties: [DataClassification.Property] = []
            for _ in 0..<(try readLE("DATACLASSIFICATION NumSensitivityProperties", as: UInt16.self)) {
                var property = DataClassification.Property(
                    label: try readClassificationIndex(labels.count), informationType: try readClassificationIndex(types.count))
                if version >= 2 { property.rank = DataClassification.Rank(rawValue: try readLE("DATACLASSIFICATION SensitivityRank")) }
                properties.append(property)
            }
            classification.columns.append(properties)
        }
        guard readableBytes == 0 else { throw WireError(.malformed, "DATACLASSIFICATION", "shorter than its token") }
        return classification
    }

    private mutating func readClassificationTerms(_ element: String) throws(WireError) -> [DataClassification.Term] {
        var terms: [DataClassification.Term] = []
        for _ in 0..<(try readLE(element, as: UInt16.self)) {
            terms.append(DataClassification.Term(name: try readBVarchar(element), id: try readBVarchar(element)))
        }
        return terms
    }

    /// An index below `count`, or 0xFFFF for none.
    private mutating func readClassificationIndex(_ count: Int) throws(WireError) -> Int? {
        let index = Int(try readLE("DATACLASSIFICATION index", as: UInt16.self))
        if index == 0xFFFF { return nil }
        guard index < count else { throw WireError(.malformed, "DATACLASSIFICATION index") }
        return index
    }

    /// Writes a DATACLASSIFICATION token.
    ///
    /// - Parameter version: 1, or 2 for one with ranks; what is nil is written as not defined.
    public mutating func writeDataClassification(_ classification: DataClassification, version: UInt8 = 2) throws(WireError) {
        writeLE(TokenType.dataClassification.rawValue)
        try writeLengthPrefixed(as: UInt16.self, "DATACLASSIFICATION Length") { buffer throws(WireError) in
            try buffer.writeClassificationTerms(classification.labels)
            try buffer.writeClassificationTerms(classification.informationTypes)
            if version >= 2 { buffer.writeLE((classification.rank ?? .notDefined).rawValue) }
            try buffer.writeClassificationIndex(classification.columns.count)
            for column in classification.columns {
                try buffer.writeClassificationIndex(column.count)
                for property in column {
                    try buffer.writeClassificationIndex(property.label)
                    try buffer.writeClassificationIndex(property.informationType)
                    if version >= 2 { buffer.writeLE((property.rank ?? .notDefined).rawValue) }
                }
            }
        }
    }

    private mutating func writeClassificationTerms(_ terms: [DataClassification.Term]) throws(WireError) {
        try writeClassificationIndex(terms.count)
        for term in terms {
            try writeBVarchar(term.name, "DATACLASSIFICATION name")
            try writeBVarchar(term.id, "DATACLASSIFICATION id")
        }
    }

    private mutating func writeClassificationIndex(_ index: Int?) throws(WireError) {
        guard let value = UInt16(exactly: index ?? 0xFFFF) else { throw WireError(.valueOutOfRange, "DATACLASSIFICATION index") }
        writeLE(value)
    }
}
