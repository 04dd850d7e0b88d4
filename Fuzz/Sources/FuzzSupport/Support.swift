import NIOCore
import TDSWire

/// libFuzzer's input as a buffer.
public func fuzzInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeBytes(UnsafeBufferPointer(start: start, count: count))
    return buffer
}

/// A finding: what was decoded differs from what it should be. Ends the process, which libFuzzer reports with the input.
public func finding(_ what: String) -> Never {
    fatalError("FINDING: \(what)")
}

/// A digest of everything that a sink is told, independent of how large values are cut.
public struct DigestSink: RowSink {
    public private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    private var inLarge = false
    public private(set) var rows = 0

    public init() {}

    public mutating func mix(_ value: UInt64) { digest = (digest ^ value) &* 0x100_0000_01B3 }
    public mutating func mix(_ text: String) { for byte in text.utf8 { mix(UInt64(byte)) } }
    private mutating func mix(_ bytes: RawSpan) { for index in 0..<bytes.byteCount { mix(UInt64(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))) } }

    public mutating func columns(_ columns: [ColumnMetadata]) {
        mix(UInt64(columns.count))
        for column in columns { mix(column.name) }
    }
    public mutating func rowBegins() { mix(1) }
    public mutating func null(column: Int) { mix(UInt64(column) << 8 | 2) }
    public mutating func value(_ bytes: RawSpan, column: Int) {
        mix(UInt64(column) << 8 | 3)
        mix(bytes)
        mix(4)
    }
    public mutating func largeValueBegins(column: Int, length: UInt64?) { mix(UInt64(column) << 8 | 3) }
    public mutating func largeValueChunk(_ bytes: RawSpan, column: Int) { mix(bytes) }
    public mutating func largeValueEnds(column: Int) { mix(4) }
    public mutating func rowEnds() {
        mix(5)
        rows += 1
    }
}
