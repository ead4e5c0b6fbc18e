import Replication

/// What an engine does with a replica's effects.
extension SimulatedNode {
    func perform(_ effects: [Effect], _ entries: [Record]) {
        for effect in effects {
            switch effect {
            case .save(let record): save(record)
            case .send(let message): send(message)
            case .ask(let request): ask(request)
            case .append(let run):
                append(entries.filter { run.first <= $0.position.lsn && $0.position.lsn <= run.last.lsn })
            case .mark(let position, _): append([Record(position: position, payload: world.ledger.newPayload())])
            case .cut(let lsn):
                log.cut(to: lsn)
                pursueLog()
            case .ship(let lsn, let session): shipping = (lsn, session)
            case .commit(let lsn): commit(through: lsn)
            case .confirmReads(let round): confirmReads(through: round)
            case .lend(let position): lend(after: position)
            case .reseed: world.fail("\(name) is to be reseeded, though nobody lets go of any log")
            case .halt(let violation): world.fail("\(name) halts: \(violation)")
            }
        }
    }

    // MARK: disk

    private func delay(_ usual: Profile.Delay, slowUntil: UInt64) -> UInt64 {
        let delay = world.random.draw(usual) + (slowUntil > world.now ? slowUntil - world.now : 0)
        lateUntil = max(lateUntil, world.now + delay)
        return delay
    }

    private func diskDelay() -> UInt64 { delay(world.profile.disk, slowUntil: slowDiskUntil) }

    private func save(_ record: NodeRecord) {
        saves.append(record)
        if saves.count == 1 { saveNext() }
    }

    private func saveNext() {
        let life = life
        world.after(diskDelay()) {
            guard self.life == life else { return }
            let record = self.saves.removeFirst()
            self.world.ledger.saved(record, over: self.record, self.world)
            self.record = record
            if !self.saves.isEmpty { self.saveNext() }
            self.deliver { self.step("record saved \(record.epoch)") { $0.recordSaved(record) } }
        }
    }

    func append(_ records: [Record]) {
        guard let first = records.first else { return }
        guard first.position.lsn.value == UInt64(log.entries.count + 1) else {
            return world.fail("\(name) appends \(first) to a log that ends at \(log.table.last)")
        }
        for record in records { world.ledger.name(record, world) }
        log.append(records)
        pursueLog()
    }

    private func pursueLog() {
        guard let order = log.begin() else { return }
        orderUnderWay = order
        let life = life
        world.after(diskDelay()) {
            guard self.life == life else { return }
            self.orderUnderWay = nil
            self.log.finish(order)
            switch order {
            case .append(let records):
                let last = records[records.count - 1].position.lsn
                self.deliver { self.logSynced(through: last) }
            case .cut(let lsn):
                self.deliver { self.step("log cut to \(lsn)") { $0.logCut(to: lsn) } }
            }
            self.pursueLog()
        }
    }

    private func logSynced(through lsn: LSN) {
        guard let end = replica?.log.last.lsn, lsn <= end else {
            return world.fail("\(name) is told that \(lsn) is synced, but takes its log to be shorter")
        }
        step("log synced \(lsn)") { $0.logSynced(through: lsn) }
    }

    // MARK: database

    private func commit(through lsn: LSN) {
        while reported < lsn {
            reported = reported.next
            world.ledger.committed(reported, by: self, world)
        }
        applyThrough = max(applyThrough, lsn)
        apply()
    }

    private func apply() {
        guard !applying, applied < applyThrough else { return }
        applying = true
        let life = life
        let target = LSN(world.random.within(applied.value + 1...applyThrough.value))
        world.after(delay(world.profile.database, slowUntil: slowDatabaseUntil)) {
            guard self.life == life else { return }
            self.applying = false
            self.applied = target
            self.apply()
            self.deliver {
                self.step("applied \(target)") { $0.applied(through: target) }
                self.answerReads()
            }
        }
    }

    // MARK: network

    func send(_ message: Message, _ entries: [Record] = []) {
        world.ledger.sent(message, by: self, world)
        world.send(.init(message: message, entries: entries), from: name)
    }

    private func ask(_ request: RegisterRequest) {
        world.ledger.asked(request, by: self, world)
        guard let witnessConnection else { return }
        world.witness(witnessConnection.witness).ask(request, from: self, witnessConnection)
    }

    /// Streams the log to the standby as it grows, a few entries to a message, as long as the session lasts.
    func ship() {
        guard case (var next, let session)? = shipping else { return }
        guard case .primary(let primary) = replica?.role, primary.session?.id == session else {
            shipping = nil
            return
        }
        while next.value <= log.entries.count {
            let begin = Int(next.value) - 1
            let end = min(log.entries.count, begin + Int(world.random.within(1...4)))
            let entries = Array(log.entries[begin..<end])
            guard let run = Run(of: entries), let committed = replica?.committed else { return }
            send(Message(primary.epoch, session, .append(run, committed: committed)), entries)
            next = run.last.lsn.next
        }
        shipping = (next, session)
    }

    private func lend(after position: Position) {
        let entries = Array(log.entries.dropFirst(Int(position.lsn.value)).prefix(Int(world.random.within(1...5))))
        guard let replica else { return }
        send(Message(replica.epoch, .none, .fetched(Run(of: entries) ?? .empty, last: replica.log.last)), entries)
    }
}

extension Run {
    init?(of entries: [Record]) {
        guard let first = entries.first else { return nil }
        self.init(first.position)
        for entry in entries.dropFirst() { append(entry.position) }
    }
}
