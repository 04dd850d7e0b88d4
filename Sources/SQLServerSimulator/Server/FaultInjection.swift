// What a test needs and a real server won't do.
import NIOCore
import Synchronization

/// Troubles that a server makes on command, for all of its connections. May be changed at any time, from any thread.
public final class FaultInjection: Sendable {
    /// The troubles.
    public struct Settings: Sendable {
        /// Every answer waits so long first.
        public var latency: Duration = .zero
        /// Bytes reach the socket in writes of at most so many bytes, each flushed; nil leaves them as they are.
        public var largestWrite: Int?
        /// After so many more response packets (of all connections together) the connection breaks in the middle of a packet.
        public var packetsUntilBreak: Int?
        /// An answer in place of the engine's for a SQL text: the tokens of a whole message. Nil for texts that the engine shall answer.
        public var reply: (@Sendable (_ sql: String) -> ByteBuffer?)?
        /// Attentions are not answered, as by a server that lost them.
        public var ignoresAttention = false
        /// Rows with more NULLs than their bitmap takes bytes go out as NBCROW, as from a SQL Server.
        public var usesNullBitmapRows = false
        public init() {}
    }

    private let settings = Mutex(Settings())

    public init() {}

    public func update(_ change: (inout Settings) -> Void) {
        settings.withLock { change(&$0) }
    }

    public func removeAll() { settings.withLock { $0 = Settings() } }

    var current: Settings { settings.withLock { $0 } }

    /// Counts a packet that is about to be sent; true when the connection shall break in it.
    func countPacket() -> Bool {
        settings.withLock { settings in
            guard let left = settings.packetsUntilBreak else { return false }
            settings.packetsUntilBreak = left > 1 ? left - 1 : nil
            return left <= 1
        }
    }
}

/// The last handler before the socket: cuts what is written into small writes when the settings say so.
final class TornWriteHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let faults: FaultInjection

    init(faults: FaultInjection) { self.faults = faults }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let largest = faults.current.largestWrite, largest > 0 else {
            context.write(data, promise: promise)
            return
        }
        var bytes = unwrapOutboundIn(data)
        while bytes.readableBytes > largest, let part = bytes.readSlice(length: largest) {
            context.writeAndFlush(wrapOutboundOut(part), promise: nil)
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }
}
