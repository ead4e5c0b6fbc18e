import Commands

@main
struct Program {
    static func main() async { await Twinline.main() }
}
