import Foundation
import NIOCore
import Testing

/// What an independent dissector makes of our bytes. Line numbers are those of epan/dissectors/packet-tds.c in Wireshark 4.0.17.
@Suite struct TsharkTests {
    /// What the dissector gets wrong.
    enum Limit: CaseIterable {
        /// "TextPointer and Timestamp MUST NOT be specified if the instance of type text/ntext/image is a NULL instance (GEN_NULL)" (MS-TDS
        /// 2.2.7.20): such a value is one byte, 0. Lines 2773-2791 stop there for versions before TDS 7 only, and else go on to read a
        /// timestamp and a length, which are the following columns.
        case nullText
        /// A parameter's time and datetime2 are as long as their scale says (MS-TDS 2.2.5.5.1.8). Lines 6463-6464 dissect every parameter's
        /// value with a scale of 0 (marked TODO), so that lines 2475-2500 read 6 bytes of the 8 and take the others for the next parameter.
        case scaleOfParameter
        /// tiberius sends a FEATUREEXT terminator, 0xFF, without announcing a FeatureExt (OptionFlags3 0x08, ibExtension's cb 0): a byte that no
        /// field refers to, which a server ignores. Lines 4561-4563 take whatever follows the database's name for SSPI, and its GSS-API
        /// dissector stops at that byte.
        case strayByteOfLogin

        /// What the dissector shows right before it stops.
        var evidence: String {
            switch self {
            case .nullText: "Data Textptr: <MISSING>"
            case .scaleOfParameter: "Type info (DATETIME2NTYPE"
            case .strayByteOfLogin: "[Malformed Packet: GSS-API]"
            }
        }
    }

    /// Every frame of Fixtures/recordings that it calls malformed.
    static let known: [String: [Int: Limit]] = [
        "connectorx": [6: .strayByteOfLogin], "mssql-python": [17: .nullText, 64: .scaleOfParameter], "pymssql": [21: .nullText], "python-tds": [17: .nullText],
    ]

    @Test func recordingsOfOtherClients() throws {
        guard let tshark = try Tshark() else { return }
        let files = try FileManager.default.contentsOfDirectory(atPath: RecordedClientTests.directory.path).filter { $0.contains(".pcap") }
        #expect(Set(files) == Set(Self.known.keys.map { "\($0).pcap.gz" }), "every recording has a line in `known`")
        for file in files {
            let path = RecordedClientTests.directory.appending(path: file).path
            let known = try #require(Self.known[String(file.prefix { $0 != "." })])
            let malformed = try tshark.malformedFrames(path)
            #expect(try tshark.tdsFrames(path) > 5)
            // A newer version may know better.
            if tshark.version.hasPrefix("4.0.") {
                #expect(malformed == Set(known.keys), "\(file)")
            } else {
                #expect(malformed.isSubset(of: known.keys), "\(file)")
            }
            for (frame, limit) in known where malformed.contains(frame) {
                let text = try tshark.run(path, ["-Y", "frame.number==\(frame)", "-O", "tds", "-V"])
                // Where it stops is near the end.
                let isThere = text.suffix(1500).contains(limit.evidence)
                #expect(isThere, "\(file), frame \(frame): not for the known reason")
            }
        }
    }

    @Test func sampleSession() throws {
        guard let tshark = try Tshark() else { return }
        let path = FileManager.default.temporaryDirectory.appending(path: "swift-tds-\(UUID().uuidString).pcap").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(try SampleSession().record("d.pcap").readableBytesView).write(to: URL(filePath: path))
        #expect(try tshark.malformedFrames(path) == [])
        let text = try tshark.run(path, ["-V"])
        for part in ["Tabular Data Stream", "SELECT 1 AS n", "Invalid object name", "Pre-Login Message", "TDS7 Login Packet", "Checksum Status: Good"] {
            let isThere = text.contains(part)
            #expect(isThere, "\(part)")
        }
        let isWrong = text.contains("Bad]") || text.contains(SampleSession.password)
        #expect(!isWrong)
    }

    /// Our own client's sessions, as it records them, and as the simulator does.
    @Test(.timeLimit(.minutes(10)), arguments: RecordedSession.encryptions) func freshRecordings(_ encryption: RecordedSession.Encryption) async throws {
        guard let tshark = try Tshark() else { return }
        let session = try await RecordedSession.shared(encryption)
        for data in [session.clientFile, session.serverFile] {
            try await RecordedSession.withFile(data) { try Self.check($0, tshark) }
        }
    }

    private static func check(_ path: String, _ tshark: Tshark) throws {
        #expect(try tshark.malformedFrames(path) == [])
        #expect(try tshark.tdsFrames(path) > 30)
        let text = try tshark.run(path, ["-V"])
        for part in ["TDS7 Login Packet", "SELECT 1 AS one", "Token - Row", "Remote Procedure Call", "no_such_table", "TM_BEGIN_XACT", "Attention"] {
            let isThere = text.contains(part)
            #expect(isThere, "\(part)")
        }
        let isWrong = text.contains("Bad]")
        #expect(!isWrong, "checksums")
    }
}
