import ExactJSON
import FlowProtocol
import Foundation
import Testing

/// A pipe whose ends are closed with it.
private final class TestPipe: Sendable {
    let reading: Int32
    let writing: Int32

    init() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        reading = ends[0]
        writing = ends[1]
    }

    func put(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(write(writing, bytes, bytes.count) == bytes.count)
    }

    /// Reads until the end, on a thread of its own.
    func readAll() async -> [UInt8] {
        await withCheckedContinuation { continuation in
            Thread {
                var all: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 65536)
                while case let count = read(self.reading, &chunk, chunk.count), count > 0 { all += chunk[..<count] }
                continuation.resume(returning: all)
            }.start()
        }
    }
}

@Suite struct PipeTests {
    @Test(.timeLimit(.minutes(15))) func readsRequestsUntilTheEnd() async throws {
        let pipe = TestPipe()
        let reader = RequestReader(descriptor: pipe.reading, codec: JSONLinesCodec())
        pipe.put("{\"spec\":{}}\n\n{\"acknow")
        try await Task.sleep(for: .milliseconds(20))
        pipe.put("ledge\":{\"checkpoints\":2}}\r\n{\"acknowledge\":{}}")
        close(pipe.writing)
        var requests: [Request] = []
        for try await request in reader { requests.append(request) }
        var two = Request.Acknowledge()
        two.checkpoints = 2
        #expect(requests == [.spec(.init()), .acknowledge(two), .acknowledge(.init())])
        close(pipe.reading)
    }

    @Test(.timeLimit(.minutes(15))) func aTornRequestIsAnError() async throws {
        let pipe = TestPipe()
        let reader = RequestReader(descriptor: pipe.reading, codec: JSONLinesCodec())
        pipe.put("{\"spec\":{}}\n{\"open\":{\"sta")
        close(pipe.writing)
        var seen = 0
        await #expect(throws: JSONError.self) { for try await _ in reader { seen += 1 } }
        #expect(seen == 1)
        close(pipe.reading)
    }

    @Test(.timeLimit(.minutes(15))) func largeRequestsPass() async throws {
        let pipe = TestPipe()
        let reader = RequestReader(descriptor: pipe.reading, codec: JSONLinesCodec())
        let text = String(repeating: "x", count: 3_000_000)
        let line = "{\"open\":{\"state\":{\"t\":\"\(text)\"}}}\n"
        let thread = Thread {
            let bytes = Array(line.utf8)
            var offset = 0
            while offset < bytes.count { offset += bytes[offset...].withUnsafeBytes { write(pipe.writing, $0.baseAddress, $0.count) } }
            close(pipe.writing)
        }
        thread.start()
        var lengths: [Int] = []
        for try await request in reader { if case .open(let open) = request { lengths.append(open.state?.bytes.count ?? 0) } }
        #expect(lengths == [text.count + 8])
        close(pipe.reading)
    }

    @Test func tooLargeARequestIsRefused() throws {
        let codec = JSONLinesCodec()
        let bytes = [UInt8](repeating: 0x20, count: maximumMessageSize + 1)
        #expect(throws: FlowProtocolError.self) { try codec.frame(bytes[...], scanned: bytes.count) }
        #expect(try codec.frame(bytes[..<1000], scanned: 0) == nil)
    }

    @Test(.timeLimit(.minutes(15))) func writesEverythingInOrder() async throws {
        let pipe = TestPipe()
        let writer = ResponseWriter(descriptor: pipe.writing, codec: JSONLinesCodec())
        async let received = pipe.readAll()
        var expected: [UInt8] = []
        let framing = JSONLinesCodec().documentFraming(binding: 3)
        for round in 0..<40 {
            // Both small buffers, which are gathered, and large ones, which are handed over whole.
            var documents: [UInt8] = []
            for number in 0..<(round % 3 == 0 ? 30_000 : 3) { documents += framing.prefix + Array("{\"n\":\(number)}".utf8) + framing.suffix }
            expected += documents
            try await writer.write(documents: documents)
            if round % 5 == 0 {
                let checkpoint = Response.checkpoint(.init(updated: RawJSON(["round": .integer(Int64(round))])))
                JSONLinesCodec().encode(checkpoint, to: &expected)
                try await writer.send(checkpoint)
            }
        }
        try await writer.flush()
        close(pipe.writing)
        #expect(await received == expected)
        close(pipe.reading)
    }

    @Test(.timeLimit(.minutes(15))) func suspendsWhileThePipeIsFull() async throws {
        let pipe = TestPipe()
        let writer = ResponseWriter(descriptor: pipe.writing, codec: JSONLinesCodec())
        let block = [UInt8](repeating: 0x20, count: ResponseWriter.bufferSize)
        let total = 32
        let finished = Task {
            for _ in 0..<total { try await writer.write(documents: block) }
            return ContinuousClock.now
        }
        try await Task.sleep(for: .milliseconds(150))
        let readingBegan = ContinuousClock.now
        async let received = pipe.readAll()
        #expect(try await finished.value > readingBegan)
        try await writer.flush()
        close(pipe.writing)
        #expect(await received.count == total * block.count)
        close(pipe.reading)
    }

    @Test(.timeLimit(.minutes(15))) func aReaderThatHasGoneAwayIsAnError() async throws {
        let pipe = TestPipe()
        close(pipe.reading)
        let writer = ResponseWriter(descriptor: pipe.writing, codec: JSONLinesCodec())
        await #expect(throws: FlowProtocolError.self) {
            try await writer.send(.applied(.init(actionDescription: "")))
            try await writer.flush()
        }
        await #expect(throws: FlowProtocolError.self) { try await writer.send(.applied(.init(actionDescription: ""))) }
        close(pipe.writing)
    }
}
