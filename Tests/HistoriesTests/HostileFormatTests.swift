import Histories
import TestSupport
import Testing

/// Files that are no histories: each is refused with its line, and none is too much for the reader.
@Suite struct HostileFormatTests {
    static let good = #"{"process":0,"type":"invoke","f":"list","value":null,"time":5}"#

    func error(_ text: String) -> HistoryError? {
        do throws(HistoryError) { _ = try HistoryFormat.read(Array(text.utf8)) } catch { return error }
        return nil
    }

    @Test("an empty file is an empty history, and other fields mean nothing")
    func accepted() throws {
        #expect(error("") == nil)
        #expect(error(Self.good + "\n") == nil)
        #expect(
            error(
                #"{"index":3,"time":1,"process":0,"value":null,"f":"list","error":{"a":[1]},"type":"invoke"}"# + "\r\n")
                == nil)
    }

    @Test(
        "each wrong line is refused with its number",
        arguments: [
            "", " ", "nonsense", "[]", "{}", "3", #"{"process":0}"#, good + good, good.replacing("null", with: "[]"),
            good.replacing("0", with: "-1"), good.replacing("0", with: "2147483648"),
            good.replacing("0", with: "\"0\""),
            good.replacing("5", with: "-5"), good.replacing("5", with: "5.5"), good.replacing("5", with: "5e1"),
            good.replacing("5", with: "05"), good.replacing("5", with: "99999999999999999999"),
            good.replacing("5", with: "4"),
            good.replacing("invoke", with: "begin"), good.replacing("list", with: "lists"),
            good.replacing("null", with: "nul"),
            good.replacing("\"list\"", with: "\"li\u{1}st\""), good.replacing("list", with: #"\ud800"#),
            good.replacing("list", with: #"\x"#), good.replacing("list", with: #"\u12"#),
            good.replacing("\"value\"", with: "value"),
            good.replacing("\"value\":null", with: "\"value\":null,\"value\":null"),
            good.replacing(",\"value\":null", with: ""),
            good.replacing("invoke", with: "ok"), good.replacing("invoke", with: "info"), good.replacing("}", with: ""),
            good.replacing("null", with: String(repeating: "[", count: 100_000)),
            #"{"process":0,"type":"invoke","f":"note","value":["0132","x"],"time":5}"#,
            #"{"process":0,"type":"invoke","f":"note","value":["01320f771e4000010000000000000002"],"time":5}"#,
            #"{"process":0,"type":"invoke","f":"transfer","value":{"from":"a","to":"b"},"time":5}"#,
            #"{"process":0,"type":"invoke","f":"accounts","value":{"a":1,"a":2},"time":5}"#,
            #"{"process":0,"type":"invoke","f":"txn","value":[["r","x",[1]]],"time":5}"#,
            #"{"process":0,"type":"invoke","f":"txn","value":[["w","x",1]],"time":5}"#,
            #"{"process":0,"type":"invoke","f":"read","value":[{},null],"time":5}"#,
        ])
    func refused(_ line: String) {
        let before = #"{"process":7,"type":"invoke","f":"list","value":null,"time":5}"# + "\n"
        switch error(before + line + "\n") {
        case .malformed(let number, _, _), .disorder(let number, _): #expect(number == 2)
        case .cutOff(let number): Issue.record("cut off at \(number)")
        case nil: Issue.record("accepted: \(line.prefix(200))")
        }
    }

    @Test("bytes that are no UTF-8 are refused, with the column")
    func noText() {
        var bytes = Array(Self.good.replacing("list", with: "l?st").utf8) + [10]
        bytes[bytes.firstIndex(of: UInt8(ascii: "?")) ?? 0] = 0xFF
        var found: HistoryError?
        do throws(HistoryError) { _ = try HistoryFormat.read(bytes) } catch { found = error }
        #expect(found == .malformed(line: 1, column: 35, "the text is no UTF-8"))
    }

    @Test("an answer has to fit its question")
    func answers() {
        let ticket = "01320f771e4000010000000000000002", other = "01320f771e4000010000000000000003"
        let asked = #"{"process":0,"type":"invoke","f":"show","value":[""# + ticket + #"",null],"time":5}"# + "\n"
        func answered(_ f: String, _ value: String) -> HistoryError? {
            error(asked + #"{"process":0,"type":"ok","f":""# + f + #"","value":"# + value + #","time":5}"# + "\n")
        }
        #expect(answered("show", "[\"\(ticket)\",null]") == nil)
        #expect(answered("history", "[\"\(ticket)\",[]]") != nil)
        #expect(answered("show", "[\"\(other)\",null]") != nil)
        #expect(answered("show", "[\"\(ticket)\",{\"state\":\"lost\",\"unit\":\"\",\"revision\":1}]") != nil)
        #expect(answered("show", "[\"\(ticket)\",{\"state\":\"open\",\"unit\":\"\",\"revision\":-1}]") != nil)
        #expect(answered("show", "[\"\(ticket)\",{\"state\":\"open\",\"revision\":1}]") != nil)
        let steps = #"{"process":0,"type":"invoke","f":"txn","value":[["append",1,2]],"time":5}"# + "\n"
        let otherSteps = #"{"process":0,"type":"ok","f":"txn","value":[["append",1,3]],"time":5}"# + "\n"
        #expect(error(steps + otherSteps) != nil)
    }

    @Test("a process that never learned an outcome does nothing more, and nobody asks twice at a time")
    func disorder() {
        #expect(error(Self.good + "\n" + Self.good + "\n") != nil)
        let unknown = Self.good.replacing("invoke", with: "info")
        #expect(error(Self.good + "\n" + unknown + "\n") == nil)
        let message = error(Self.good + "\n" + unknown + "\n" + Self.good + "\n").map { "\($0)" } ?? ""
        #expect(message.hasPrefix("line 3: process 0 asks again after an outcome that it never learned"))
    }

    @Test("cut off anywhere, a file is refused with its last line, or is a shorter history")
    func cutOff() throws {
        let bytes = HistoryFormat.lines(of: try FormatTests.everything())
        for length in 0..<bytes.count {
            let part = Array(bytes[..<length])
            do throws(HistoryError) {
                _ = try HistoryFormat.read(part)
                #expect(part.isEmpty || part.last == 10)
            } catch {
                #expect(error == .cutOff(line: part.count { $0 == 10 } + 1))
            }
        }
    }

    @Test("whatever bytes are changed, the file is read or refused, and what is read is checked")
    func mutated() throws {
        let bytes = HistoryFormat.lines(of: try FormatTests.everything())
        var random = SeededRandom(7)
        for _ in 0..<20_000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: changed.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
                case 1: changed.remove(at: place)
                case 2: changed.insert(changed[Int.random(in: changed.indices, using: &random)], at: place)
                default: changed[place] = Array("0123456789{}[],:\"-\\u".utf8).randomElement(using: &random) ?? 0
                }
            }
            guard let history = try? HistoryFormat.read(changed) else { continue }
            _ = HistoryChecker().check(history)
        }
    }
}
