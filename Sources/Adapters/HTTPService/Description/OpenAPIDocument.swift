import HTTPTypes
import SlurmDialect
import WireFormats

/// Descriptions of the API in the form of OpenAPI 3.0, made of the routes that are served.
enum OpenAPIDocument {
    /// The service's own API: `/v1/openapi.json`.
    static let service: JSONValue = document(
        "Xinghe",
        "An emulated supercomputing centre: jobs, nodes, people and money.",
        operations: ServiceRoute.all.map { route in
            let path = route.path.split(separator: "/").map {
                $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0)
            }
            return Operation(
                path: "/" + path.joined(separator: "/"),
                method: route.method,
                json: operation(route)
            )
        }
    )

    /// Slurm's REST: `/openapi/v3`.
    static let slurm: JSONValue = document(
        "Slurm REST API",
        "The REST of Slurm, as an emulated centre serves it.",
        operations: DataVersion.allCases.flatMap { version in
            SlurmRoute.all.filter { $0.isIn(version) }.map { route in
                Operation(
                    path: route.describedPath(version),
                    method: route.method,
                    json: operation(route, version)
                )
            }
        }
    )

    private struct Operation {
        var path: String
        var method: HTTPRequest.Method
        var json: JSONValue
    }

    private static func document(
        _ title: String,
        _ description: String,
        operations: [Operation]
    ) -> JSONValue {
        var order: [String] = []
        var paths: [String: [JSONValue.Member]] = [:]
        for operation in operations {
            if paths[operation.path] == nil { order.append(operation.path) }
            let name = operation.method.rawValue.lowercased()
            paths[operation.path, default: []].append(.init(name, operation.json))
        }
        return [
            "openapi": "3.0.3",
            "info": [
                "title": .string(title), "description": .string(description),
                "version": .string(slurmVersion),
                "license": [
                    "name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0",
                ],
            ],
            "servers": [["url": "/"]],
            "security": [["token": []], ["bearer": []]],
            "paths": .object(order.map { .init($0, .object(paths[$0] ?? [])) }),
            "components": [
                "securitySchemes": [
                    "token": [
                        "type": "apiKey", "in": "header", "name": "X-SLURM-USER-TOKEN",
                    ],
                    "bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"],
                ]
            ],
        ]
    }

    private static func parameter(
        _ name: String,
        in place: String,
        isRequired: Bool,
        _ schema: JSONValue
    ) -> JSONValue {
        [
            "name": .string(name), "in": .string(place), "required": .bool(isRequired),
            "schema": schema,
        ]
    }

    /// The names in braces, or after colons, of a path.
    private static func pathParameters(_ path: String) -> [JSONValue] {
        path.split(separator: "/").compactMap { part in
            if part.hasPrefix("{") {
                let name = String(part.dropFirst().dropLast())
                return parameter(
                    name,
                    in: "path",
                    isRequired: true,
                    ["type": "string", "minLength": 1]
                )
            }
            guard part.hasPrefix(":") else { return nil }
            let number: JSONValue = ["type": "integer", "minimum": 0, "maximum": 4_294_967_295]
            return parameter(String(part.dropFirst()), in: "path", isRequired: true, number)
        }
    }

    private static func response(
        _ description: String,
        _ schema: JSONValue,
        type: String = "application/json"
    ) -> JSONValue {
        [
            "description": .string(description),
            "content": .object([.init(type, ["schema": schema])]),
        ]
    }

    private static func identifier(_ method: HTTPRequest.Method, _ path: String) -> String {
        let words = path.split { !$0.isLetter && !$0.isNumber }
        return ([Substring(method.rawValue.lowercased())] + words).joined(separator: "_")
    }

    // MARK: Ours

    /// What any request can be refused with: malformed, without a token, not to be had, too large, out of
    /// service.
    private static let commonRefusals: [(status: Int, text: String)] = [
        (400, "The request cannot be read, or cannot be fulfilled"), (401, "No good token"),
        (413, "The request is too large"), (503, "The centre cannot do it now"),
    ]

    private static let refusalTexts: [Int: String] = [
        403: "Not for the caller", 404: "There is no such thing", 409: "Not in this state",
        422: "The Idempotency-Key came before with another submission",
    ]

    private static func operation(_ route: ServiceRoute) -> JSONValue {
        let good: JSONValue =
            switch route.answer {
            case .record(let type): response("Done", type.schema)
            case .text(let type): response("Done", [:], type: type)
            }
        var refusals = commonRefusals
        refusals += route.refusals.map { ($0, refusalTexts[$0] ?? "Refused") }
        let responses =
            [JSONValue.Member("200", good)]
            + refusals.sorted { $0.status < $1.status }.map { status, text in
                .init("\(status)", response(text, ErrorBody.schema))
            }
        var members: [JSONValue.Member] = [
            .init("summary", .string(route.summary)),
            .init("operationId", .string(identifier(route.method, route.path))),
            .init(
                "parameters",
                .array(
                    pathParameters(route.path)
                        + route.parameters.map { wanted in
                            parameter(
                                wanted.name,
                                in: "query",
                                isRequired: wanted.isRequired,
                                wanted.schema
                            )
                        }
                )
            ),
            .init("responses", .object(responses)),
        ]
        if let body = route.body {
            members.append(
                .init(
                    "requestBody",
                    ["required": true, "content": ["application/json": ["schema": body.schema]]]
                )
            )
        }
        if route.isForAll { members.append(.init("security", [])) }
        return .object(members)
    }

    // MARK: Slurm's

    private static let slurmStatuses: [(status: String, text: String)] = [
        ("400", "The request cannot be read"), ("401", "No good token"),
        ("404", "There is no such job or address"), ("413", "The request is too large"),
        ("422", "The request lacks something, or asks for what there is not"),
        ("500", "The centre refuses"), ("503", "The centre cannot do it now"),
    ]

    private static func envelope(_ answer: [String]) -> JSONValue {
        let notes: JSONValue = ["type": "array", "items": ["type": "object"]]
        let fixed: [JSONValue.Member] = [
            .init("meta", ["type": "object"]), .init("errors", notes), .init("warnings", notes),
        ]
        return [
            "type": "object",
            "properties": .object(answer.map { .init($0, [:]) } + fixed),
            "required": .array((answer + ["meta", "errors", "warnings"]).map { .string($0) }),
        ]
    }

    private static func operation(_ route: SlurmRoute, _ version: DataVersion) -> JSONValue {
        let responses =
            [JSONValue.Member("200", response("Done", envelope(route.answer)))]
            + slurmStatuses.map { .init($0.status, response($0.text, envelope([]))) }
        let path = route.describedPath(version)
        var members: [JSONValue.Member] = [
            .init("tags", [.string(route.part.rawValue)]),
            .init("summary", .string(route.summary)),
            .init("operationId", .string(identifier(route.method, path))),
            .init(
                "parameters",
                .array(
                    pathParameters(route.path)
                        + route.parameters.map { wanted in
                            parameter(
                                wanted.name,
                                in: "query",
                                isRequired: false,
                                ["type": "string"]
                            )
                        }
                )
            ),
            .init("responses", .object(responses)),
        ]
        if let body = route.body {
            let schema = body.schema(version)
            members.append(
                .init(
                    "requestBody",
                    ["required": true, "content": ["application/json": ["schema": schema]]]
                )
            )
        }
        return .object(members)
    }
}
