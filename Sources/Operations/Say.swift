internal import Glibc

/// Prints a line at once, also where standard output is a file or a pipe.
func say(_ text: String) {
    print(text)
    fflush(nil)
}

extension Duration {
    public var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
