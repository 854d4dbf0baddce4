import HTTPTypes
import Hummingbird
import NIOCore

/// The page for people: files that are part of the program and need nothing else.
enum PageFiles {
    private static let files: [String: (bytes: [UInt8], type: String)] = [
        "index.html": (PackageResources.index_html, "text/html; charset=utf-8"),
        "page.css": (PackageResources.page_css, "text/css; charset=utf-8"),
        "main.js": (PackageResources.main_js, script),
        "centre.js": (PackageResources.centre_js, script),
        "words.js": (PackageResources.words_js, script),
        "parts.js": (PackageResources.parts_js, script),
        "now.js": (PackageResources.now_js, script),
        "jobs.js": (PackageResources.jobs_js, script),
        "job.js": (PackageResources.job_js, script),
        "node.js": (PackageResources.node_js, script),
        "timeline.js": (PackageResources.timeline_js, script),
        "money.js": (PackageResources.money_js, script),
    ]
    private static let script = "text/javascript; charset=utf-8"

    /// What a browser may do with the page: run its own files, ask its own centre, and nothing else.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// A file of the page; nil when there is none of that name.
    static func response(_ name: String) -> Response? {
        guard let file = files[name] else { return nil }
        var headers: HTTPFields = [.contentType: file.type, .cacheControl: "no-cache"]
        headers[.contentSecurityPolicy] = policy
        headers[.xContentTypeOptions] = "nosniff"
        if let referrer = HTTPField.Name("Referrer-Policy") { headers[referrer] = "no-referrer" }
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes))
        )
    }
}
