import Testing

/// Tests of real processes, one after another: two pairs beside each other take the processor from each other, and
/// what is waited for then takes longer than it should.
@Suite(.serialized) struct ProcessTests {
    @Suite struct DataDirectoryTests {}
    @Suite struct DiskFaultTests {}
    @Suite struct DrillProcessTests {}
    @Suite struct FilledDiskTests {}
    @Suite struct ForcedTests {}
    @Suite struct FullDiskTests {}
    @Suite struct InputProcessTests {}
    @Suite struct LimitTests {}
    @Suite struct LogShowProcessTests {}
    @Suite struct ReseedTests {}
    @Suite struct RouteTests {}
    @Suite struct SalvageTests {}
    @Suite struct SlowLineTests {}
    @Suite struct VerifyTests {}
}
