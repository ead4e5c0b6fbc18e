/// What is going to happen, by simulated time; what is due at the same nanosecond happens in the order it was planned.
struct EventQueue {
    /// Without references, since a heap moves its elements often.
    private struct Event {
        let time: UInt64
        let order: UInt64
        let slot: Int
        func before(_ other: Event) -> Bool { (time, order) < (other.time, other.order) }
    }
    private var heap: [Event] = []
    private var actions: [(() -> Void)?] = []
    private var free: [Int] = []
    private var planned: UInt64 = 0

    mutating func plan(at time: UInt64, _ action: @escaping () -> Void) {
        planned += 1
        heap.append(Event(time: time, order: planned, slot: keep(action)))
        var child = heap.count - 1
        while child > 0, heap[child].before(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func keep(_ action: @escaping () -> Void) -> Int {
        guard let slot = free.popLast() else {
            actions.append(action)
            return actions.count - 1
        }
        actions[slot] = action
        return slot
    }

    var nextTime: UInt64? { heap.first?.time }

    mutating func next() -> (time: UInt64, action: () -> Void)? {
        guard let first = heap.first, let last = heap.popLast(), let action = actions[first.slot] else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        actions[first.slot] = nil
        free.append(first.slot)
        return (first.time, action)
    }

    mutating func clear() { (heap, actions, free) = ([], [], []) }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].before(heap[least]) {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
