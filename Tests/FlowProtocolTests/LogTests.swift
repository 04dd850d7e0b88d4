import ExactJSON
import FlowProtocol
import Logging

import Synchronization
import Testing

@Suite struct LogTests {
    private final class Lines: Sendable {
        let lines = Mutex<[String]>([])
        var output: LogOutput { LogOutput { bytes in self.lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) } } }
        var all: [String] { lines.withLock { $0 } }
    }

    private func logger(_ lines: Lines, environment: [String: String] = [:], output: LogOutput? = nil) -> Logger {
        Logger(label: "test") { _ in FlowLogHandler(environment: environment, output: output ?? lines.output) }
    }

    @Test func oneObjectALine() throws {
        let lines = Lines()
        logger(lines).warning("two\nlines", metadata: ["count": "\(3)", "number": .stringConvertible(42), "flag": .stringConvertible(true), "msg": "no", "list": ["a"]])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("}\n") && line.count { $0 == "\n" } == 1)
        let value = try JSONValue(parsing: line)
        #expect(value["level"] == "warn" && value["msg"] == "two\nlines" && value["number"] == 42 && value["flag"] == true && value["list"] == ["a"])
        let time = try #require(value["time"]?.string)
        #expect(try #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/#.wholeMatch(in: time) != nil)
    }

    @Test func levels() {
        for (name, expected) in [("trace", 5), ("debug", 4), ("info", 3), ("warn", 2), ("error", 1), ("nonsense", 3)] {
            let lines = Lines()
            let logger = logger(lines, environment: ["LOG_LEVEL": name])
            logger.trace("t")
            logger.debug("d")
            logger.info("i")
            logger.warning("w")
            logger.error("e")
            #expect(lines.all.count == expected, "LOG_LEVEL=\(name)")
        }
    }

    @Test func secretsAreBlanked() throws {
        let lines = Lines()
        let output = lines.output
        output.blank(secret: "hunter22")
        output.blank(secret: "or")
        logger(lines, output: output).error("password hunter22 or", metadata: ["detail": "x=hunter22", "deep": ["a": ["hunter22"]]])
        FlowLogHandler(output: output).fatal("hunter22 again")
        #expect(lines.all.count == 2)
        #expect(lines.all.allSatisfy { !$0.contains("hunter22") })
        #expect(lines.all.first?.contains("password *** or") == true)
    }

    @Test func statusAndFatal() throws {
        let lines = Lines()
        ConnectorStatus(logger: logger(lines)).report("Streaming", ["tables": .stringConvertible(2)])
        FlowLogHandler(output: lines.output).fatal("it ends")
        let values = try lines.all.map { try JSONValue(parsing: $0) }
        #expect(values.first?["eventType"] == "connectorStatus" && values.first?["tables"] == 2)
        #expect(values.last?["level"] == "fatal" && values.last?["msg"] == "it ends")
    }

    @Test func textIsForAPerson() throws {
        let lines = Lines()
        logger(lines, environment: ["LOG_FORMAT": "text"]).info("hello", metadata: ["a": "1", "eventType": "x"])
        #expect(lines.all.first?.hasSuffix("Z info: hello a=1\n") == true)
    }
}
