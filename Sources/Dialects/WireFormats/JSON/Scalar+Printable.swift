extension Unicode.Scalar {
    /// Whether it stands for itself in a line of text: no control, no format character such as
    /// those that turn the direction of writing, no end of a line.
    public var isPrintable: Bool {
        if isASCII { return (0x20..<0x7F).contains(value) }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default: true
        }
    }
}

extension String {
    /// The text with `?` for what does not stand for itself: a name can neither begin a row of its
    /// own nor speak to the terminal.
    public var printable: String {
        guard unicodeScalars.contains(where: { !$0.isPrintable }) else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.map { $0.isPrintable ? $0 : "?" }))
    }
}
