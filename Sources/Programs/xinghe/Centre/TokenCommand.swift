import ArgumentParser
import LocalClient
import WireFormats

/// What `xinghe token` and `xinghe open` ask the centre for.
struct TokenOptions: ParsableArguments {
    @OptionGroup var access: CentreAccess

    @Option(
        help:
            "Whose token; by default your own. Only root, and whoever runs the daemon, get another's."
    )
    var user: String?

    @Option(
        help: ArgumentHelp("How long it is good; by default half an hour.", valueName: "seconds")
    )
    var lifespan: Int64?

    func ask() throws -> TokenResponse {
        var request = TokenRequest()
        request.user = user
        request.lifespan = lifespan
        return try CentreAccess.ask { () throws(LocalClientFailure) in
            try access.client.post("/v1/token", request, as: TokenResponse.self)
        }
    }
}

/// `xinghe token`: a token for the network.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print a token for a centre that listens on the network.",
        discussion: """
            Whoever has it may do what its user may, until its time is over. Send it as \
            'Authorization: Bearer TOKEN', or as X-SLURM-USER-TOKEN as clients of Slurm's REST do.
            """
    )

    @OptionGroup var options: TokenOptions

    func run() throws {
        try StandardOutput.print(try options.ask().token, isData: true)
    }
}

/// `xinghe open`: the page, for a browser.
struct OpenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open",
        abstract: "Say where the centre's page is.",
        discussion: """
            Prints an address that holds a token: open it in a browser of this computer. The browser \
            sends what stands behind '#' to nobody, and the page takes it out of the address.
            """
    )

    @OptionGroup var options: TokenOptions

    func run() throws {
        let answer = try options.ask()
        try StandardOutput.print("\(answer.address)/#token=\(answer.token)", isData: true)
    }
}
