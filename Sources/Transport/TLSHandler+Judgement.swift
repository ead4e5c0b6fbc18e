import NIOCore

/// Sent down a pipeline: the files have changed, or the peer's time is over; it is to be judged anew.
struct Judgement: Sendable {
    let context: TLSContext
    /// Seconds since 1970; nil: by the machine's clock.
    let now: Int64?
    /// The peer would not be let in any more; the connection ends.
    let dismissed: @Sendable (PeerFault) -> Void
}

/// Sent down a pipeline: there is no room to wait for the handshake to end.
struct Eviction: Sendable {
    let limit: Int
}

extension TLSHandler {
    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        switch event {
        case let judgement as Judgement:
            promise?.succeed()
            guard let fault = session.fault(under: judgement.context, at: judgement.now) else { return }
            judgement.dismissed(fault)
            fail(context, .peerRefused(fault, of: session.peerName))
        case let dismissal as Dismissal:
            promise?.succeed()
            fail(context, .peerRefused(.notAdmitted(dismissal.reason), of: session.peerName))
        case let eviction as Eviction:
            promise?.succeed()
            // It may have become known meanwhile.
            if isHandshaking { fail(context, .crowdedOut(limit: eviction.limit)) }
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }
}
