import Testing

@testable import Wire

struct MessageGoldenTests {
    @Test("messages are byte for byte what the protocol says", arguments: Sample.files)
    func goldens(file: String) throws {
        let goldens = try Goldens("Messages/" + file).messages
        let samples = try #require(Sample.all[file])
        #expect(goldens.map(\.name) == samples.map(\.name))
        for (golden, sample) in zip(goldens, samples) {
            #expect(sample.bytes == golden.bytes, "\(sample.name)")
            #expect(try sample.isValue(golden.bytes), "\(sample.name)")
        }
    }

    @Test("a witness's record that counts its starts, as it once did, is read as one without")
    func countOfStarts() throws {
        #expect(try WitnessFile(bytes: Sample.witnessFile.bytes + [0x10, 2]) == Sample.witnessFile)
    }
}
