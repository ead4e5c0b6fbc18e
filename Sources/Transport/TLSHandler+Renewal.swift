import NIOCore

/// Sent down a pipeline: the files have changed, the peer is to be judged anew.
private struct Renewal: Sendable {
    let context: TLSContext
}

extension TLSHandler {
    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        guard let renewal = event as? Renewal else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        promise?.succeed()
        if let fault = session.fault(under: renewal.context) { fail(context, .peerRefused(fault)) }
    }
}

extension Channel {
    /// Ends this connection if its peer would not be let in any more: revoked since, or expired. Any thread.
    package func judgePeerAgain(under context: TLSContext) {
        triggerUserOutboundEvent(Renewal(context: context), promise: nil)
    }
}
