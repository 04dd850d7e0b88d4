import NIOCore
import NIOEmbedded
import TDSTLS
import Testing

@Suite("TLS in a pipeline")
struct HandlerTests {
    @Test("TDS 7.x: the handshake is in PRELOGIN packets and at most TLS 1.2; then raw TLS both ways", arguments: [nil, 0x04] as [UInt8?])
    func full(wrapperType: UInt8?) throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .full, wrapperType: wrapperType)
        defer { pair.finish() }
        try pair.pump()
        let info = try #require(pair.atClient.info)
        #expect(info.version == "TLSv1.2")
        #expect(info.applicationProtocol == nil)
        #expect(try info.peerCertificate == Shared.identity.get().fingerprint)
        #expect(pair.atServer.info?.version == "TLSv1.2")
        #expect(pair.fromClient.getInteger(at: 0, as: UInt8.self) == 0x12)
        #expect(pair.fromServer.getInteger(at: 0, as: UInt8.self) == wrapperType ?? 0x12)

        pair.fromClient.clear()
        pair.fromServer.clear()
        try pair.client.writeOutbound(packet(type: 1, payload: Array("hello".utf8)))
        try pair.pump()
        try pair.server.writeOutbound(packet(type: 4, payload: Array("world".utf8)))
        try pair.pump()
        #expect(pair.atServer.text.hasSuffix("hello"))
        #expect(pair.atClient.text.hasSuffix("world"))
        #expect(pair.fromClient.getInteger(at: 0, as: UInt8.self) == 0x17)
        #expect(!String(buffer: pair.fromClient).contains("hello"))
        #expect(pair.atClient.errors.isEmpty && pair.atServer.errors.isEmpty)
    }

    @Test("Strict: TLS 1.3 from the first byte, with the application protocol tds/8.0")
    func strict() throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .strict)
        defer { pair.finish() }
        try pair.pump()
        #expect(pair.fromClient.getInteger(at: 0, as: UInt8.self) == 0x16)
        #expect(pair.atClient.info?.version == "TLSv1.3")
        #expect(pair.atClient.info?.applicationProtocol == "tds/8.0")
        #expect(pair.atServer.info?.applicationProtocol == "tds/8.0")
        try pair.client.writeOutbound(packet(type: 0x12, payload: [1, 2, 3]))
        try pair.pump()
        #expect(pair.atServer.bytes == packet(type: 0x12, payload: [1, 2, 3]))
    }

    @Test("Strict: a server without ALPN or with TLS 1.2 only is good enough; one with another protocol is not")
    func strictVariants() throws {
        let old = try Pair(client: Shared.client(), server: Shared.server(maximum: .v1_2, protocols: []), mode: .strict)
        defer { old.finish() }
        try old.pump()
        #expect(old.atClient.info?.version == "TLSv1.2")
        #expect(old.atClient.info?.applicationProtocol == nil)

        let other = try Pair(client: Shared.client(), server: Shared.server(protocols: ["h2"]), mode: .strict)
        defer { other.finish() }
        try other.pump()
        let error = try #require(other.atClient.tlsError)
        #expect(error.code == .handshakeFailed)
        #expect(error.remedy?.contains("TDS 8.0") == true)
    }

    @Test("Login-only: the login is encrypted, what follows is clear", arguments: [1, 3])
    func loginOnly(packets: Int) throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .loginOnly)
        defer { pair.finish() }
        try pair.pump()
        pair.fromClient.clear()
        pair.fromServer.clear()
        var login = ByteBuffer()
        for number in 1...packets {
            let part = packet(type: 0x10, last: number == packets, payload: Array("login\(number)".utf8))
            login.writeImmutableBuffer(part)
            pair.client.write(part, promise: nil)
        }
        pair.client.flush()
        #expect(pair.atClient.encryptionEnded)
        try pair.pump()
        #expect(pair.atServer.encryptionEnded)
        #expect(pair.atServer.bytes == login)
        #expect(!String(buffer: pair.fromClient).contains("login1"))
        // A server decrypts one packet and takes the rest as it is.
        for number in 2..<max(packets + 1, 2) { #expect(String(buffer: pair.fromClient).contains("login\(number)")) }
        let answer = packet(type: 4, payload: Array("welcome".utf8))
        let batch = packet(type: 1, payload: Array("select".utf8))
        try pair.server.writeOutbound(answer)
        try pair.client.writeOutbound(batch)
        try pair.pump()
        #expect(pair.fromServer == answer)
        #expect(pair.atClient.bytes == answer)
        #expect(pair.atServer.text.hasSuffix("select"))
        #expect(pair.fromClient.getBytes(at: pair.fromClient.writerIndex - batch.readableBytes, length: batch.readableBytes) == Array(batch.readableBytesView))
    }

    @Test("Login-only: a client that encrypts only the login's first packet, all of it in one read or cut anywhere", arguments: [true, false])
    func loginFirstPacketOnly(bytewise: Bool) throws {
        let server = try Shared.server()
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        let top = Collector()
        try channel.pipeline.syncOperations.addHandler(TDSTLSHandler(context: server, mode: .loginOnly))
        try channel.pipeline.syncOperations.addHandler(top)
        // A client by hand: its handshake packets, then one encrypted packet and one clear one.
        let session = try TLSSession(context: Shared.client(), profile: .wrapped, serverName: "localhost")
        var done = false
        while !done {
            done = try session.handshake()
            if session.pendingBytes > 0 {
                var bytes = ByteBuffer()
                session.drain(into: &bytes)
                try channel.writeInbound(packet(type: 0x12, payload: Array(bytes.readableBytesView)))
            }
            while var answer = try channel.readOutbound(as: ByteBuffer.self) {
                while answer.readableBytes > 0 {
                    guard let header = answer.readBytes(length: 8), var part = answer.readSlice(length: (Int(header[2]) << 8 | Int(header[3])) - 8)
                    else { throw TLSError(.protocolViolation, "the server's packets are cut") }
                    try session.receive(&part)
                }
            }
        }
        let first = packet(type: 0x10, last: false, payload: Array("first".utf8))
        let second = packet(type: 0x10, payload: Array("second".utf8))
        try session.write(first)
        var sent = ByteBuffer()
        session.drain(into: &sent)
        sent.writeImmutableBuffer(second)
        if bytewise {
            for byte in sent.readableBytesView { try channel.writeInbound(ByteBuffer(bytes: [byte])) }
        } else {
            try channel.writeInbound(sent)
        }
        #expect(top.encryptionEnded)
        var whole = first
        whole.writeImmutableBuffer(second)
        #expect(top.bytes == whole)
    }

    @Test("What is written before the handshake is over waits and keeps its order, also behind the event")
    func queued() throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .full)
        defer { pair.finish() }
        pair.atClient.onEvent = { context, event in
            if case .handshakeCompleted = event {
                context.writeAndFlush(NIOAny(packet(type: 1, payload: Array("C".utf8))), promise: nil)
            }
        }
        let early = pair.client.eventLoop.makePromise(of: Void.self)
        let finished = NIOLoopBoundBox(false, eventLoop: pair.client.eventLoop)
        early.futureResult.whenSuccess { finished.value = true }
        pair.client.writeAndFlush(packet(type: 1, payload: Array("A".utf8)), promise: early)
        pair.client.writeAndFlush(packet(type: 1, payload: Array("B".utf8)), promise: nil)
        #expect(!finished.value)
        try pair.pump()
        #expect(finished.value)
        let letters = pair.atServer.bytes.readableBytesView.filter { (65...67).contains($0) }
        #expect(String(decoding: letters, as: UTF8.self) == "ABC")
    }

    @Test("One record for each packet, whatever is flushed at once", arguments: [TDSTLSHandler.Mode.full, .strict])
    func records(mode: TDSTLSHandler.Mode) throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: mode)
        defer { pair.finish() }
        try pair.pump()
        pair.fromClient.clear()
        let sizes = [9, 512, 4096, 4096, 8000, 16_383, 16_384, 20]
        for size in sizes { pair.client.write(packet(type: 1, payload: [UInt8](repeating: 7, count: size - 8)), promise: nil) }
        pair.client.flush()
        try pair.pump()
        let lengths = try applicationRecords(pair.fromClient)
        #expect(lengths.count == sizes.count)
        let overheads = Set(zip(lengths, sizes).map { $0 - $1 })
        // Nonce and tag of TLS 1.2's GCM, or content type and tag of TLS 1.3.
        #expect(overheads == [mode == .strict ? 17 : 24])
        #expect(pair.atServer.bytes.readableBytes == sizes.reduce(0, +))
    }

    @Test("Large data both ways, in torn reads")
    func large() throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .full)
        defer { pair.finish() }
        pair.cut = { bytes in
            var bytes = bytes
            var parts: [ByteBuffer] = []
            var size = 1
            while bytes.readableBytes > 0, let part = bytes.readSlice(length: min(size, bytes.readableBytes)) {
                parts.append(part)
                size = size % 9973 * 3 + 1
            }
            return parts
        }
        try pair.pump()
        var expected = ByteBuffer()
        var seed: UInt32 = 1
        for _ in 0..<500 {
            var payload: [UInt8] = []
            for _ in 0..<4088 {
                seed = seed &* 1_664_525 &+ 1_013_904_223
                payload.append(UInt8(truncatingIfNeeded: seed >> 24))
            }
            let part = packet(type: 4, payload: payload)
            expected.writeImmutableBuffer(part)
            pair.server.write(part, promise: nil)
        }
        pair.server.flush()
        try pair.pump()
        #expect(pair.atClient.bytes == expected)
    }

    @Test("The handshake cut at every byte", arguments: [TDSTLSHandler.Mode.full, .strict, .loginOnly])
    func everySplit(mode: TDSTLSHandler.Mode) throws {
        let client = try Shared.client()
        let server = try Shared.server()
        let whole = try Pair(client: client, server: server, mode: mode)
        try whole.pump()
        let longest = max(whole.fromClient.readableBytes, whole.fromServer.readableBytes)
        whole.finish()
        #expect(longest > 500)

        let single = try Pair(client: client, server: server, mode: mode)
        single.cut = { $0.readableBytesView.map { ByteBuffer(bytes: [$0]) } }
        try single.pump()
        #expect(single.atClient.info != nil && single.atServer.info != nil)
        single.finish()

        for position in 1..<longest {
            let pair = try Pair(client: client, server: server, mode: mode)
            defer { pair.finish() }
            pair.cut = { bytes in
                guard position < bytes.readableBytes, let head = bytes.getSlice(at: bytes.readerIndex, length: position),
                    let tail = bytes.getSlice(at: bytes.readerIndex + position, length: bytes.readableBytes - position)
                else { return [bytes] }
                return [head, tail]
            }
            try pair.pump()
            try #require(pair.atClient.info != nil && pair.atServer.info != nil, "cut at \(position)")
            let login = packet(type: 0x10, payload: [1, 2, 3, 4])
            try pair.client.writeOutbound(login)
            try pair.pump()
            try #require(pair.atServer.bytes == login, "cut at \(position)")
        }
    }

    @Test("Packets and records have nothing to do with each other: any packet size, several packets in a read")
    func repacked() throws {
        for size in [1, 2, 3, 7, 100, 1000, 4088] {
            let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .full)
            defer { pair.finish() }
            pair.cut = { bytes in
                var bytes = bytes
                var stream = ByteBuffer()
                guard bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == 0x12 else { return [bytes] }
                while let header = bytes.readBytes(length: 8), var part = bytes.readSlice(length: (Int(header[2]) << 8 | Int(header[3])) - 8) {
                    stream.writeBuffer(&part)
                }
                var repacked = ByteBuffer()
                while let part = stream.readBytes(length: min(size, stream.readableBytes)), !part.isEmpty {
                    repacked.writeImmutableBuffer(packet(type: 0x12, last: stream.readableBytes == 0, payload: part))
                }
                return [repacked]
            }
            try pair.pump()
            #expect(pair.atClient.info != nil && pair.atServer.info != nil, "packets of \(size)")
        }
    }

    @Test("Bytes that are no handshake end the connection with a message that says so")
    func garbage() throws {
        for (bytes, part) in [
            ([0x17, 3, 3, 0, 20], "outside of PRELOGIN"), ([0x01, 1, 0, 9, 0, 0, 1, 0, 0], "type 0x1"),
            ([0x12, 1, 0, 3, 0, 0, 1, 0, 0], "impossible length"),
        ] as [([UInt8], String)] {
            let channel = EmbeddedChannel()
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            let top = Collector()
            try channel.pipeline.syncOperations.addHandler(TDSTLSHandler(context: Shared.client(), mode: .full, serverName: "localhost"))
            try channel.pipeline.syncOperations.addHandler(top)
            try channel.writeInbound(ByteBuffer(bytes: bytes))
            let error = try #require(top.tlsError)
            #expect(error.code == .protocolViolation)
            #expect(error.message.contains(part))
            #expect(!channel.isActive)
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }
    }

    @Test("A record that was changed on the way ends the connection")
    func tampered() throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .full)
        defer { pair.finish() }
        try pair.pump()
        pair.cut = { bytes in
            var bytes = bytes
            let last = bytes.writerIndex - 1
            bytes.setInteger((bytes.getInteger(at: last, as: UInt8.self) ?? 0) ^ 1, at: last)
            return [bytes]
        }
        try pair.client.writeOutbound(packet(type: 1, payload: [1, 2, 3]))
        try pair.pump()
        #expect(pair.atServer.bytes.readableBytes == 0)
        #expect(pair.atServer.tlsError?.code == .recordFailed)
        #expect(!pair.server.isActive)
    }

    @Test("A connection that is closed during the handshake says so, and fails what waited")
    func closedEarly() throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .full)
        let promise = pair.client.eventLoop.makePromise(of: Void.self)
        let failure = NIOLoopBoundBox<(any Error)?>(nil, eventLoop: pair.client.eventLoop)
        promise.futureResult.whenFailure { failure.value = $0 }
        pair.client.writeAndFlush(packet(type: 1, payload: [1]), promise: promise)
        _ = try? pair.client.finish(acceptAlreadyClosed: true)
        #expect(pair.atClient.tlsError?.code == .closedDuringHandshake)
        #expect((failure.value as? TLSError)?.code == .closedDuringHandshake)
        pair.finish()
    }

    @Test("Closing sends close_notify, and the peer closes too")
    func closing() throws {
        let pair = try Pair(client: Shared.client(), server: Shared.server(), mode: .full)
        try pair.pump()
        pair.fromClient.clear()
        pair.client.close(promise: nil)
        try pair.pump()
        #expect(pair.fromClient.getInteger(at: 0, as: UInt8.self) == 0x15)
        #expect(!pair.server.isActive)
        #expect(pair.atServer.errors.isEmpty)
        pair.finish()
    }
}
