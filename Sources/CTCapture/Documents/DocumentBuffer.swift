// Where documents are written: bytes with room reserved ahead, so that a value's bytes are stored without asking each time.

/// A growing run of bytes that JSON is written into.
///
/// The storage is an array kept at its full capacity; `count` says how much of it is written. Each write first makes room for the
/// most bytes it can need and then stores through `MutableRawSpan`, whose accesses are bounds-checked: a wrong estimate traps and
/// never writes outside.
public struct DocumentBuffer: Sendable {
    /// The bytes; only the first ``count`` have a meaning.
    public private(set) var storage: [UInt8]
    /// How many bytes are written.
    public private(set) var count = 0

    /// A buffer with room for `capacity` bytes; it grows when it must.
    public init(capacity: Int = 1 << 16) {
        storage = [UInt8](repeating: 0, count: Swift.max(capacity, 64))
    }

    /// Stands in for a buffer that was moved out for a moment; holds no storage of its own.
    @inline(__always)
    init(movedOut: Void) { storage = [] }

    /// Forgets the bytes and keeps the room.
    public mutating func removeAll() { count = 0 }

    /// The bytes written so far.
    public var bytes: ArraySlice<UInt8> { storage[0..<count] }

    /// Takes back what was written behind `position`.
    @inline(__always)
    mutating func truncate(to position: Int) { count = Swift.min(count, position) }

    @inline(never)
    private mutating func grow(_ room: Int) {
        let needed = count + room
        storage.append(contentsOf: repeatElement(0, count: Swift.max(needed, storage.count * 2) - storage.count))
    }

    /// Writes at most `room` bytes: `body` gets a cursor and moves it.
    @inline(__always)
    mutating func write(atMost room: Int, _ body: (inout DocumentCursor) -> Void) {
        if storage.count &- count < room { grow(room) }
        let start = count
        var span = storage.mutableSpan
        var cursor = DocumentCursor(span: span.mutableBytes, position: start)
        body(&cursor)
        count = cursor.position
    }

    /// Appends bytes as they are.
    @inline(__always)
    mutating func append(_ bytes: [UInt8]) {
        write(atMost: bytes.count) { $0.append(bytes.span.bytes) }
    }

    @inline(__always)
    mutating func append(_ bytes: RawSpan) {
        if storage.count &- count < bytes.byteCount { grow(bytes.byteCount) }
        let start = count
        var span = storage.mutableSpan
        var cursor = DocumentCursor(span: span.mutableBytes, position: start)
        cursor.append(bytes)
        count = cursor.position
    }
}

/// A place in a ``DocumentBuffer`` that moves on with every byte stored.
struct DocumentCursor: ~Copyable, ~Escapable {
    var span: MutableRawSpan
    var position: Int

    @inline(__always)
    @_lifetime(copy span)
    init(span: consuming MutableRawSpan, position: Int) {
        self.span = span
        self.position = position
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        span.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
        position &+= 1
    }

    @inline(__always)
    mutating func append<T: FixedWidthInteger & BitwiseCopyable>(raw value: T) {
        span.storeBytes(of: value, toByteOffset: position, as: T.self)
        position &+= MemoryLayout<T>.size
    }

    @inline(__always)
    mutating func append(_ string: StaticString) {
        string.withUTF8Buffer { buffer in
            for byte in buffer { append(byte) }
        }
    }

    /// Copies `bytes[range]` in whole words: up to seven bytes behind it are read and stored, but not counted.
    @inline(__always)
    mutating func append(_ bytes: RawSpan, _ range: Range<Int>) {
        var offset = range.lowerBound
        let end = range.upperBound
        var target = position
        while offset < end {
            span.storeBytes(of: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self), toByteOffset: target, as: UInt64.self)
            offset &+= 8
            target &+= 8
        }
        position &+= range.count
    }

    /// Copies eight bytes at a time where it can.
    @inline(__always)
    mutating func append(_ bytes: RawSpan) {
        let count = bytes.byteCount
        var offset = 0
        while offset &+ 8 <= count {
            span.storeBytes(of: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self), toByteOffset: position &+ offset, as: UInt64.self)
            offset &+= 8
        }
        while offset < count {
            span.storeBytes(of: bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self), toByteOffset: position &+ offset, as: UInt8.self)
            offset &+= 1
        }
        position &+= count
    }
}
