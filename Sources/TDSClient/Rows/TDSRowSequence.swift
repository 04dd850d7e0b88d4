public import TDSWire

/// The rows of a query, read as they are asked for: while nobody asks, the server waits.
public struct TDSRowSequence: AsyncSequence, Sendable {
    public typealias Element = TDSRow
    let connection: TDSConnection
    let request: TDSRequest

    /// Sends the query at the first ``AsyncIterator/next()``.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(stream: RequestStream(connection, request, sink: RowBatchSink()))
    }

    /// All rows at once.
    public func collect() async throws -> [TDSRow] {
        var rows: [TDSRow] = []
        for try await row in self { rows.append(row) }
        return rows
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let stream: RequestStream<RowBatchSink>
        private var batches: [TDSRowBatch] = []
        private var batch: TDSRowBatch?
        private var index = 0
        private var isFinished = false
        /// What is thrown after the last row.
        private var error: TDSError?
        /// What the server said besides rows; nil until its response is complete, which it is when ``next()`` has returned nil.
        public private(set) var response: ClientRequestStateMachine.Response?

        init(stream: RequestStream<RowBatchSink>) {
            self.stream = stream
        }

        /// The next row; nil after the last.
        ///
        /// - Throws: ``TDSError``, after the rows that came before the error.
        public mutating func next() async throws -> TDSRow? {
            if let batch, index < batch.rowCount {
                defer { index += 1 }
                return TDSRow(batch: batch, index: index)
            }
            return try await nextBatchRow()
        }

        private mutating func nextBatchRow() async throws -> TDSRow? {
            while true {
                if !batches.isEmpty {
                    let next = batches.removeFirst()
                    batch = next
                    index = 1
                    return TDSRow(batch: next, index: 0)
                }
                batch = nil
                if isFinished {
                    if let failure = error.take() { throw failure }
                    return nil
                }
                switch try await stream.next() {
                case .full(var sink):
                    batches = sink.take()
                    stream.giveBack(sink)
                case .finished(var sink, let response):
                    batches = sink.take()
                    isFinished = true
                    self.response = response
                    error = response.error
                case .failed(var sink, let failure):
                    batches = sink?.take() ?? []
                    isFinished = true
                    error = failure
                }
            }
        }
    }
}
