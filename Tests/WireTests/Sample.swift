@testable import Wire

/// How a value becomes bytes, and bytes become a value: through the initialisers that the programs use.
struct Codec<Value: Equatable & Sendable>: Sendable {
    let encode: @Sendable (Value) -> [UInt8]
    /// Nil: legal, but none of these values.
    let decode: @Sendable ([UInt8]) throws(MalformedMessage) -> Value?
}

/// A value that some message of a protocol carries.
struct Sample: Sendable {
    /// Its name among the goldens.
    let name: String
    /// What the programs send.
    let bytes: [UInt8]
    /// Whether these bytes are this value.
    let isValue: @Sendable ([UInt8]) throws(MalformedMessage) -> Bool
    /// Whether these bytes are refused, or become a value that comes back from its own bytes.
    let isHarmless: @Sendable ([UInt8]) -> Bool

    init<Value>(_ name: String, _ value: Value, _ codec: Codec<Value>) {
        self.name = name
        bytes = codec.encode(value)
        isValue = { bytes throws(MalformedMessage) in try codec.decode(bytes) == value }
        isHarmless = { bytes in
            guard let value = try? codec.decode(bytes) else { return true }
            return (try? codec.decode(codec.encode(value))) == value
        }
    }

    /// By the file that has their goldens.
    static let all: [String: [Sample]] = [
        "node": node, "node-entries": nodeEntries, "witness-requests": witnessRequests,
        "witness-answers": witnessAnswers, "disk": disk,
        "copy": copy, "seat-requests": seatRequests, "seat-answers": seatAnswers,
        "seat-sql-requests": seatSQLRequests, "seat-sql-answers": seatSQLAnswers,
    ]
    static let files = all.keys.sorted()
}
