/// Finds the most telling cycle among transactions that can all reach each other: of the kind that is worst, and of
/// these the shortest.
struct CycleSearch {
    typealias Kind = DependencyGraph.Kind

    struct Cycle: Equatable {
        struct Step: Equatable {
            var from: Int
            var kind: Kind
            var key: Label?
        }
        /// Each leads to the next, the last to the first.
        var steps: [Step]
    }

    let graph: DependencyGraph
    /// Edges looked at, over all searches; a large knot of cycles need not be seen whole.
    private var effort = 20_000_000

    init(_ graph: DependencyGraph) { self.graph = graph }

    /// From the worst to the least: what even a database that isolates little must not do comes first, and what only
    /// contradicts the clock last.
    private static let classes: [(kinds: Set<Kind>, antiDependencies: Int?)] = [
        ([.write], nil), ([.write, .read], nil), ([.write, .read, .antiDependency], 1),
        ([.write, .read, .antiDependency], nil), ([.write, .realTime], nil), ([.write, .read, .realTime], nil),
        ([.write, .read, .antiDependency, .realTime], 1), ([.write, .read, .antiDependency, .realTime], nil),
    ]

    /// - Parameter nodes: a component of the graph. There is a cycle then; nil: it could not be found with that effort.
    mutating func worst(among nodes: [Int]) -> Cycle? {
        for (kinds, antiDependencies) in Self.classes {
            for component in graph.components(over: kinds, among: nodes) {
                let found =
                    antiDependencies == nil
                    ? shortest(component, kinds) : shortestWithOneAntiDependency(component, kinds)
                if let found { return found }
            }
        }
        return nil
    }

    private mutating func shortest(_ component: [Int], _ kinds: Set<Kind>) -> Cycle? {
        var best: Cycle?
        for start in component {
            guard effort > 0 else { break }
            guard let cycle = path(from: start, to: start, component, kinds, shorterThan: best?.steps.count ?? .max)
            else { continue }
            best = Cycle(steps: cycle)
        }
        return best
    }

    /// One edge of anti-dependency, and back by others.
    private mutating func shortestWithOneAntiDependency(_ component: [Int], _ kinds: Set<Kind>) -> Cycle? {
        var best: Cycle?
        let isIn = graph.membership(component)
        for start in component {
            for edge in graph.edges[start] where edge.kind == .antiDependency && isIn[edge.to] {
                guard effort > 0 else { return best }
                guard
                    let back = path(
                        from: edge.to, to: start, component, kinds.subtracting([.antiDependency]),
                        shorterThan: (best?.steps.count ?? .max) - 1)
                else { continue }
                best = Cycle(steps: [Cycle.Step(from: start, kind: edge.kind, key: edge.key)] + back)
            }
        }
        return best
    }

    /// The shortest way, breadth first.
    private mutating func path(
        from start: Int, to end: Int, _ component: [Int], _ kinds: Set<Kind>, shorterThan limit: Int
    ) -> [Cycle.Step]? {
        let isIn = graph.membership(component)
        var cameFrom: [Int: Cycle.Step] = [:]
        var layer = [start]
        var length = 0
        while !layer.isEmpty, length + 1 < limit {
            length += 1
            var next: [Int] = []
            for node in layer {
                for edge in graph.edges[node] where kinds.contains(edge.kind) && isIn[edge.to] {
                    effort -= 1
                    guard effort > 0 else { return nil }
                    let isEnd = edge.to == end
                    guard isEnd || edge.to != start && cameFrom[edge.to] == nil else { continue }
                    cameFrom[edge.to] = Cycle.Step(from: node, kind: edge.kind, key: edge.key)
                    if isEnd { return walkBack(from: end, to: start, cameFrom) }
                    next.append(edge.to)
                }
            }
            layer = next
        }
        return nil
    }

    private func walkBack(from end: Int, to start: Int, _ cameFrom: [Int: Cycle.Step]) -> [Cycle.Step] {
        var steps: [Cycle.Step] = []
        var node = end
        repeat {
            guard let step = cameFrom[node] else { break }
            steps.append(step)
            node = step.from
        } while node != start
        return steps.reversed()
    }
}
