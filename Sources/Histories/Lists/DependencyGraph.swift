/// Which transactions must come before which others.
struct DependencyGraph {
    /// Why one comes before another.
    enum Kind: UInt8, Hashable {
        /// Its append is the one before.
        case write
        /// It made what the other reads.
        case read
        /// It does not see what the other appends.
        case antiDependency
        /// It was answered before the other was asked for.
        case realTime
    }

    struct Edge {
        var to: Int
        var kind: Kind
        /// Of the list that tells it.
        var key: Label?
    }

    private(set) var edges: [[Edge]]

    init(nodes: Int) { edges = Array(repeating: [], count: nodes) }

    /// Nodes that many others come before. Two rows of helping nodes, one for the first of them and one for the last,
    /// save each of those an edge to each of these, and let one of these come before all of them but itself.
    struct Group {
        fileprivate var places: [Int: Int] = [:]
        /// From which those up to a place, and those from a place on, can be reached.
        fileprivate var upTo: [Int] = [], from: [Int] = []
    }

    mutating func group(_ nodes: [Int], _ kind: Kind, _ key: Label?) -> Group {
        var group = Group()
        for (place, node) in nodes.enumerated() {
            group.places[node] = place
            edges.append([Edge(to: node, kind: kind, key: key)])
            if let before = group.upTo.last { connect(edges.count - 1, before, kind, key) }
            group.upTo.append(edges.count - 1)
        }
        for node in nodes.reversed() {
            edges.append([Edge(to: node, kind: kind, key: key)])
            if let after = group.from.last { connect(edges.count - 1, after, kind, key) }
            group.from.append(edges.count - 1)
        }
        group.from.reverse()
        return group
    }

    /// To all but itself.
    mutating func connect(_ from: Int, toAllOf group: Group, _ kind: Kind, _ key: Label?) {
        guard let place = group.places[from] else {
            if let all = group.upTo.last { connect(from, all, kind, key) }
            return
        }
        if place > 0 { connect(from, group.upTo[place - 1], kind, key) }
        if place + 1 < group.from.count { connect(from, group.from[place + 1], kind, key) }
    }

    mutating func connect(_ from: Int, _ to: Int, _ kind: Kind, _ key: Label? = nil) {
        if from != to { edges[from].append(Edge(to: to, kind: kind, key: key)) }
    }

    /// Sets of nodes that can reach each other over these kinds of edges, without those of one node. Tarjan,
    /// "Depth-first search and linear graph algorithms" (1972), with a stack of its own: histories are longer than a
    /// thread's is deep.
    func components(over kinds: Set<Kind>, among nodes: [Int]) -> [[Int]] {
        let isIn = membership(nodes)
        var order = [Int](repeating: -1, count: edges.count), low = order
        var onStack = [Bool](repeating: false, count: edges.count)
        var stack: [Int] = [], components: [[Int]] = []
        var count = 0
        for root in nodes where order[root] < 0 {
            var path: [(node: Int, next: Int)] = [(root, 0)]
            while let (node, next) = path.last {
                if next == 0 {
                    (order[node], low[node]) = (count, count)
                    count += 1
                    stack.append(node)
                    onStack[node] = true
                }
                var position = next
                var child: Int?
                while position < edges[node].count, child == nil {
                    let edge = edges[node][position]
                    position += 1
                    guard kinds.contains(edge.kind), isIn[edge.to] else { continue }
                    if order[edge.to] < 0 {
                        child = edge.to
                    } else if onStack[edge.to] {
                        low[node] = min(low[node], order[edge.to])
                    }
                }
                // A node without edges is entered once only, too.
                path[path.count - 1].next = max(position, 1)
                if let child {
                    path.append((child, 0))
                    continue
                }
                path.removeLast()
                if let parent = path.last?.node { low[parent] = min(low[parent], low[node]) }
                guard low[node] == order[node], let start = stack.lastIndex(of: node) else { continue }
                for member in stack[start...] { onStack[member] = false }
                if stack.count - start > 1 { components.append(stack[start...].sorted()) }
                stack.removeSubrange(start...)
            }
        }
        return components
    }

    func membership(_ nodes: [Int]) -> [Bool] {
        var isIn = [Bool](repeating: false, count: edges.count)
        for node in nodes { isIn[node] = true }
        return isIn
    }
}
