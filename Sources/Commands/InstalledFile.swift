import Foundation

/// Files that come with Twinline: below the working directory's Deploy/, beside the program in a build folder's
/// checkout, or where an installation puts them.
enum InstalledFile {
    static func find(_ name: String) -> URL? {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        var places = [URL(filePath: FileManager.default.currentDirectoryPath).appending(path: "Deploy")]
        places.append(program.appending(path: "../share/twinline").standardizedFileURL)
        var folder = program
        for _ in 0..<5 {
            places.append(folder.appending(path: "Deploy"))
            folder = folder.deletingLastPathComponent()
        }
        return places.map { $0.appending(path: name) }.first { FileManager.default.fileExists(atPath: $0.path) }
    }
}
