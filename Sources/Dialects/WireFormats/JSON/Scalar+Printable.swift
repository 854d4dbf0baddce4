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
