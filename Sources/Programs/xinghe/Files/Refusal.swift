/// A message for the user, as it is to be printed. The program exits with 1.
struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ text: String) {
        description = text
    }
}
