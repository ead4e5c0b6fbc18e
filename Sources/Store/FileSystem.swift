import Glibc

enum FileSystem {
    static func exists(_ path: String) -> Bool { CheckedFiles.existsElsewhere(path) ?? (access(path, F_OK) == 0) }
}
