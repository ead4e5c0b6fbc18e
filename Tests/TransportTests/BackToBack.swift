import COpenSSL
import NIOCore

@testable import Transport

/// One side of two sessions back to back.
final class Side {
    let session: TLSSession
    var peer: TLSSession.Peer?

    init(_ context: TLSContext) throws { session = try TLSSession(context) }

    func ciphertext() -> [UInt8] {
        session.takeCiphertext(ByteBufferAllocator()).map { Array($0.readableBytesView) } ?? []
    }

    func shake(_ bytes: [UInt8]) throws { peer = try session.received(bytes).handshake() ?? peer }

    func send(_ plaintext: [UInt8]) throws {
        var buffer = ByteBuffer(bytes: plaintext)
        while buffer.readableBytes > 0 { try session.encryptRecord(&buffer) }
    }

    /// The plaintext in `bytes`.
    func take(_ bytes: [UInt8]) throws -> [UInt8] {
        try session.receive(ByteBuffer(bytes: bytes))
        var plaintext = ByteBufferAllocator().buffer(capacity: max(session.unreadBytes, 1))
        while try session.read(into: &plaintext) == .more { plaintext.reserveCapacity(minimumWritableBytes: 1) }
        return Array(plaintext.readableBytesView)
    }
}

struct Pair {
    let client: Side, server: Side

    init(client: TLSContext? = nil, server: TLSContext? = nil) throws {
        self.client = try Side(client ?? Authority.hotline.client())
        self.server = try Side(server ?? Authority.hotline.server())
    }

    func shake() throws {
        var fromServer: [UInt8] = []
        while client.peer == nil || server.peer == nil {
            try client.shake(fromServer)
            try server.shake(client.ciphertext())
            fromServer = server.ciphertext()
        }
    }

    func carry(from: Side, to: Side) throws -> [UInt8] { try to.take(from.ciphertext()) }
}

extension TLSSession {
    func received(_ bytes: [UInt8]) throws -> TLSSession {
        try receive(ByteBuffer(bytes: bytes))
        return self
    }
}

extension Authority.Folder {
    /// A client's context with a certificate that this library would not load as its own.
    func client(cheating name: String, from other: Authority.Folder? = nil) throws -> TLSContext {
        let context = try client()
        let files = (other ?? self).files(name)
        SSL_CTX_use_certificate_chain_file(context.pointer, files.certificate)
        SSL_CTX_use_PrivateKey_file(context.pointer, files.key, SSL_FILETYPE_PEM)
        return context
    }
}
