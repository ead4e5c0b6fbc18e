#if PLANTED
    import Glibc
#endif

/// Whether this wrong change of the shipped code is switched on: the proof that the checkers can see (mutation testing,
/// DeMillo, Lipton and Sayward, 1978, with the mutations chosen by hand).
///
/// Each fault has a line in `Tests/Planted/faults`: what finds it, and what is wrong. `Deploy/test --planted` builds
/// with `-DPLANTED`, and switches on one at a time by the environment variable `TWINLINE_PLANTED`. In any other build,
/// the shipped one too, this is the constant false, and no trace of a fault is left.
@inlinable
@inline(__always)
package func planted(_ fault: StaticString) -> Bool {
    #if PLANTED
        return chosenFault.map { strcmp(fault.utf8Start, $0) == 0 } ?? false
    #else
        return false
    #endif
}

#if PLANTED
    /// `nonisolated(unsafe)`: made before anybody reads it, and never changed or freed.
    @usableFromInline nonisolated(unsafe) let chosenFault = getenv("TWINLINE_PLANTED").flatMap { strdup($0) }
#endif
