public import ArgumentParser
import Foundation
public import WireFormats

/// The language in which a command speaks to customers and officers.
struct LanguageOption: ParsableArguments {
    @Option(help: "The language: zh or en; by default that of LANG.")
    var lang: MessageLanguage?

    /// The language that was asked for, else the session's.
    var words: MessageLanguage {
        lang ?? MessageLanguage { ProcessInfo.processInfo.environment[$0] }
    }
}

extension MessageLanguage: ExpressibleByArgument {}
