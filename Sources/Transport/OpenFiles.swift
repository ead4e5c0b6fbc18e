import Glibc

/// How many files and connections this process may have open.
package enum OpenFiles {
    /// As many as the system allows: every seat has a connection for each of its routes, and the usual 1024 are soon
    /// spent.
    /// - Returns: the limit from now on.
    @discardableResult
    package static func raiseLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        let most = min(limit.rlim_max, 1 << 20)
        if limit.rlim_cur < most {
            limit.rlim_cur = most
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return Int(clamping: limit.rlim_cur)
    }
}
