// Bounds-checked reads from a borrowed value's bytes: the content of a column, without copying it out.

extension RawSpan {
    /// The little-endian integer at `offset`, or throws ``WireError/Code/truncated``.
    @inlinable
    public func loadLE<T: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, _ element: @autoclosure () -> String, as type: T.Type = T.self
    ) throws(WireError) -> T {
        guard offset >= 0, byteCount &- offset >= MemoryLayout<T>.size else { throw WireError(.truncated, element()) }
        return T(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The big-endian integer at `offset`, or throws ``WireError/Code/truncated``.
    @inlinable
    public func loadBE<T: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, _ element: @autoclosure () -> String, as type: T.Type = T.self
    ) throws(WireError) -> T {
        guard offset >= 0, byteCount &- offset >= MemoryLayout<T>.size else { throw WireError(.truncated, element()) }
        return T(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The little-endian unsigned integer of `size` bytes (at most 8) at `offset`, or throws ``WireError/Code/truncated``.
    @inlinable
    public func loadLE(at offset: Int, size: Int, _ element: @autoclosure () -> String) throws(WireError) -> UInt64 {
        guard offset >= 0, size >= 0, size <= 8, byteCount &- offset >= size else { throw WireError(.truncated, element()) }
        var value: UInt64 = 0
        for index in 0..<size {
            value |= UInt64(unsafeLoad(fromByteOffset: offset &+ index, as: UInt8.self)) &<< UInt64(index &* 8)
        }
        return value
    }

    /// Throws ``WireError/Code/malformed`` unless there are exactly `count` bytes.
    @inlinable
    public func expect(byteCount count: Int, _ element: @autoclosure () -> String) throws(WireError) {
        guard byteCount == count else { throw WireError(.malformed, element(), "\(byteCount) bytes instead of \(count)") }
    }
}
