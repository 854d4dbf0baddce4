public import WireFormats

/// Why a request to Slurm's REST is refused: an element of the `errors` of an answer, and its HTTP status.
///
/// Source: Slurm, `slurm/slurm_errno.h`, and `_call_handler` of `src/slurmrestd/operations.c`, which answers a
/// job that there is not with 404, a request that cannot be understood with 400 or 422, and whatever the
/// controller refuses with 500.
public struct RestFailure: Error, Hashable, Sendable {
    /// Slurm's number.
    public var number: Int32
    /// Slurm's sentence for the number.
    public var error: String
    /// What is wrong here.
    public var description: String
    /// Where: a member such as `#/job/time_limit`, a parameter, or the part that refused.
    public var source: String
    /// The HTTP status.
    public var status: Int

    private init(
        _ number: Int32,
        _ error: String,
        _ description: String,
        _ source: String,
        _ status: Int
    ) {
        self.number = number
        self.error = error
        self.description = description
        self.source = source
        self.status = status
    }

    /// A body that cannot be read (`ESLURM_REST_FAIL_PARSING`).
    public static func parsing(_ description: String, _ source: String) -> RestFailure {
        RestFailure(9_001, "Unable to parse request", description, source, 400)
    }

    /// A request that lacks something or asks for what there is not (`ESLURM_REST_INVALID_QUERY`).
    public static func query(_ description: String, _ source: String) -> RestFailure {
        RestFailure(9_000, "Query empty or incorrect type", description, source, 422)
    }

    /// An address that there is not (`ESLURM_REST_UNKNOWN_URL`).
    public static func noRoute(_ description: String) -> RestFailure {
        RestFailure(9_006, "Unable to find requested URL", description, "", 404)
    }

    /// An address that there is, but not for this method (`ESLURM_REST_UNKNOWN_URL_METHOD`).
    public static func noMethod(_ description: String) -> RestFailure {
        RestFailure(9_007, "Unknown HTTP method requested on known URL", description, "", 405)
    }

    /// What the centre itself refuses.
    public init(_ body: ErrorBody, source: String = "") {
        let error = SlurmError(rawValue: body.code) ?? .unspecified
        self.init(
            error.number,
            error == .unspecified ? body.text : error.text,
            ([body.text] + body.details).joined(separator: "; "),
            source,
            error == .invalidJobID ? 404 : 500
        )
    }

    /// What is refused before any route sees it: by its token, its size, or its connection.
    public init(_ body: ErrorBody, status: Int) {
        self.init(body)
        self.status = status
        if status == 401 {
            number = 9_008
            error = "Authentication failure"
        }
    }

    /// The failure as it stands in `errors`.
    var json: JSONValue {
        DataObject.made { object in
            object.text("description", description)
            object.integer("error_number", number)
            object.text("error", error)
            object.text("source", source)
        }
    }
}

/// What whoever asked should know although he was served: an element of `warnings`.
public struct RestWarning: Hashable, Sendable {
    /// A sentence.
    public var description: String
    /// The member or parameter that it is about.
    public var source: String

    /// Makes a warning.
    public init(_ description: String, _ source: String = "") {
        self.description = description
        self.source = source
    }

    var json: JSONValue {
        DataObject.made { object in
            object.text("description", description)
            object.text("source", source)
        }
    }
}
