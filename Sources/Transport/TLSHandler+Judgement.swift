import NIOCore

/// Sent down a pipeline: the files have changed, or the peer's time is over; it is to be judged anew.
struct Judgement: Sendable {
    let context: TLSContext
    /// Seconds since 1970; nil: by the machine's clock.
    let now: Int64?
    /// The peer would not be let in any more; the connection ends.
    let dismissed: @Sendable (PeerFault) -> Void
}

extension TLSHandler {
    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard let judgement = event as? Judgement else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        promise?.succeed()
        guard let fault = session.fault(under: judgement.context, at: judgement.now) else { return }
        judgement.dismissed(fault)
        fail(context, .peerRefused(fault))
    }
}
