import Foundation

/// The picture of a fault: what seats were answered in each 10 ms, above the roles of both nodes, and marks where
/// something was done. SVG without anything from outside; its colours are those of the page's style.
struct FaultPicture {
    let record: FaultRecord

    private static let width = 960.0, left = 64.0, right = 16.0
    private static let top = 10.0, chart = 90.0, band = 16.0, gap = 6.0

    private var from: Double { record.pictureFrom }
    private var span: Double { max(Double(record.answers.count) * FaultRecord.binMilliseconds, 1) }
    private func x(_ at: Double) -> Double {
        Self.left + (min(max(at - from, 0), span) / span) * (Self.width - Self.left - Self.right)
    }
    private func place(_ value: Double) -> String { String(format: "%.1f", value) }

    var svg: String {
        let axis = Self.top + Self.chart
        let bands = axis + Self.gap
        let legend = bands + 2 * (Self.band + Self.gap) + 14
        let height = legend + Double(record.marks.count) * 15 + 4
        return """
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(height))" role="img" \
            aria-label="Answers to seats and the nodes' roles during \(escaped(record.name))">
            \(answers(axis))
            \(ticks(axis, to: legend - 14))
            \(roles(bands))
            \(marks(to: legend - 14, legend))
            </svg>
            """
    }

    /// A filled outline; 10 ms without an answer are a gap that one sees.
    private func answers(_ axis: Double) -> String {
        let most = Double(max(record.answers.max() ?? 0, 1))
        var path = "M\(place(x(from))) \(place(axis))"
        for (index, count) in record.answers.enumerated() {
            let begin = from + Double(index) * FaultRecord.binMilliseconds
            let y = axis - Double(count) / most * Self.chart
            path += "V\(place(y))H\(place(x(begin + FaultRecord.binMilliseconds)))"
        }
        path += "V\(place(axis))Z"
        return """
            <path class="answers" d="\(path)"/>
            <text class="side" x="\(place(Self.left - 6))" y="\(place(Self.top + 9))">\(Int(most))</text>
            <text class="side" x="\(place(Self.left - 6))" y="\(place(axis - 40))">answers</text>
            <text class="side" x="\(place(Self.left - 6))" y="\(place(axis - 28))">in 10 ms</text>
            """
    }

    /// A line each second, or so many that there are no more than twenty.
    private func ticks(_ axis: Double, to bottom: Double) -> String {
        let step = [1.0, 2, 5, 10, 20, 60].first { span / 1000 / $0 <= 20 } ?? 120
        let first = (from / 1000 / step).rounded(.up) * step
        return stride(from: first, through: (from + span) / 1000, by: step).map { second in
            let place = place(x(second * 1000))
            return """
                <line class="tick" x1="\(place)" x2="\(place)" y1="\(self.place(Self.top))" y2="\(self.place(axis))"/>\
                <text class="time" x="\(place)" y="\(self.place(bottom + 10))">\(Int(second)) s</text>
                """
        }.joined(separator: "\n")
    }

    private func roles(_ top: Double) -> String {
        record.bands.enumerated().map { index, bands in
            let y = top + Double(index) * (Self.band + Self.gap / 2)
            let name = index == 0 ? "node a" : "node b"
            return "<text class=\"side\" x=\"\(place(Self.left - 6))\" y=\"\(place(y + 12))\">\(name)</text>"
                + bands.map { band in
                    let width = max(x(band.to) - x(band.from), 0.5)
                    let label =
                        width > 50
                        ? "<text class=\"role\" x=\"\(place(x(band.from) + 4))\" y=\"\(place(y + 12))\">"
                            + "\(escaped(band.role))</text>" : ""
                    return "<rect class=\"\(escaped(band.role))\" x=\"\(place(x(band.from)))\" y=\"\(place(y))\" "
                        + "width=\"\(place(width))\" height=\"\(place(Self.band))\"><title>\(escaped(band.role))"
                        + "</title></rect>\(label)"
                }.joined()
        }.joined(separator: "\n")
    }

    private func marks(to bottom: Double, _ legend: Double) -> String {
        record.marks.enumerated().map { index, mark in
            let place = place(x(mark.at))
            let y = self.place(legend + Double(index) * 15 + 11)
            return """
                <line class="mark" x1="\(place)" x2="\(place)" y1="0" y2="\(self.place(bottom))"/>\
                <text class="number" x="\(self.place(x(mark.at) + 3))" y="9">\(index + 1)</text>\
                <text class="legend" x="\(self.place(Self.left))" y="\(y)">\(index + 1)  \
                \(String(format: "%.2f s", mark.at / 1000))  \(escaped(mark.text))</text>
                """
        }.joined(separator: "\n")
    }
}

/// Text that may stand in HTML, also as an attribute's value.
func escaped(_ text: String) -> String {
    var safe = ""
    for character in text {
        switch character {
        case "&": safe += "&amp;"
        case "<": safe += "&lt;"
        case ">": safe += "&gt;"
        case "\"": safe += "&quot;"
        case "'": safe += "&#39;"
        default: safe.append(character)
        }
    }
    return safe
}
