import Foundation

extension DrillReport {
    /// One page that stands for itself: nothing is loaded, it can be sent, archived and printed.
    var page: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Twinline drill, \(escaped(began))</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <h1>Twinline drill</h1>
        <p>\(escaped(subject)), \(seats) seats at work, \(escaped(began)), \(Int(seconds.rounded())) s, Twinline \
        \(escaped(version)).</p>
        <p class="verdict \(isGood ? "good" : "bad")">\(escaped(verdict))</p>
        <table>
        <thead><tr>\(Self.columns.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined())</tr></thead>
        <tbody>
        \(zip(rows, faults).map(tableRow).joined(separator: "\n"))
        </tbody>
        </table>
        <dl>
        \(totals.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }.joined(separator: "\n"))
        </dl>
        \(legend)
        \(faults.map(section).joined(separator: "\n"))
        </body>
        </html>

        """
    }

    private func tableRow(_ row: [String], _ fault: FaultRecord) -> String {
        let cells = row.enumerated().map { column, text in
            column == 0
                ? "<td><a href=\"#\(escaped(fault.name))\">\(escaped(text))</a></td>" : "<td>\(escaped(text))</td>"
        }
        return "<tr\(fault.isGood ? "" : " class=\"bad\"")>\(cells.joined())</tr>"
    }

    private func section(_ fault: FaultRecord) -> String {
        let said = [fault.refusal, fault.trouble.map { "FAILED: \($0)" }].compactMap { $0 } + fault.examples
        return """
            <section id="\(escaped(fault.name))">
            <h2>\(escaped(fault.name))</h2>
            <p>\(escaped(fault.summary))\(fault.losesTwo ? " (two lost at once)" : "").</p>
            \(FaultPicture(record: fault).svg)
            \(said.map { "<p class=\"said\">\(escaped($0))</p>" }.joined(separator: "\n"))
            </section>
            """
    }

    private var legend: String {
        let roles = ["primary", "standby", "starting", "away"].map {
            "<span class=\"key \($0)\"></span> \($0)"
        }.joined(separator: " ")
        return "<p class=\"legend\">Answers to all seats in each 10 ms; below, what each node is: \(roles)</p>"
    }

    private static let style = """
        :root { color-scheme: light dark; --text: #1b1f24; --paper: #fff; --faint: #d8dce1; --soft: #69727d;
          --answers: #2f6fb3; --primary: #2e8b57; --standby: #a9cdb9; --starting: #e3b341; --away: #c9ced4;
          --mark: #c2362b; }
        @media (prefers-color-scheme: dark) { :root { --text: #e4e7eb; --paper: #14171b; --faint: #343a41;
          --soft: #9aa4af; --answers: #6aa5e0; --primary: #3f9f6b; --standby: #2b5a42; --starting: #9a7420;
          --away: #3b424a; --mark: #f0766b; } }
        body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--paper);
          max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 0; }
        section p { margin: .1rem 0 .4rem; color: var(--soft); }
        .verdict { font-weight: 600; padding-left: .6rem; border-left: .3rem solid var(--primary); }
        .verdict.bad { border-color: var(--mark); } tr.bad td { color: var(--mark); font-weight: 600; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: .15rem .7rem; border-bottom: 1px solid var(--faint); }
        th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
        a { color: inherit; } dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem; }
        dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
        svg { width: 100%; height: auto; font: 10px system-ui, sans-serif; }
        svg text { fill: var(--text); } svg .side { text-anchor: end; fill: var(--soft); }
        svg .time { text-anchor: middle; fill: var(--soft); } svg .answers { fill: var(--answers); }
        svg .tick { stroke: var(--faint); stroke-width: .6; } svg .mark { stroke: var(--mark); stroke-width: 1; }
        svg .number { fill: var(--mark); font-weight: 600; } svg .legend { font-size: 11px; white-space: pre; }
        .primary { fill: var(--primary); background: var(--primary); }
        .standby { fill: var(--standby); background: var(--standby); }
        .starting { fill: var(--starting); background: var(--starting); }
        .away { fill: var(--away); background: var(--away); }
        svg .role { fill: var(--text); } .legend { color: var(--soft); }
        .key { display: inline-block; width: .8rem; height: .8rem; margin-left: .6rem; vertical-align: -.1rem; }
        .said { font-size: .9rem; overflow-wrap: anywhere; }
        @media print { body { margin: 0; max-width: none; } section { break-inside: avoid; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
        """
}
