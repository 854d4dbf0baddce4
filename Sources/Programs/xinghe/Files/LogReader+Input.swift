import Billing
import Catalog
import Foundation
import IndexSets
import Reporting
import TraceFiles
import WorkloadFormats

/// The text of a file, plain or compressed; `-` is standard input.
///
/// - Throws: `Refusal` with the path and the system's word for the problem, or when the file has
///   more than `limit` bytes.
func readText(_ path: String, atMost limit: Int = .max) throws -> String {
    do {
        var isUTF16 = false
        let text = try TraceFile.withBytes(of: path, atMost: limit) { bytes in
            // The mark with which spreadsheets begin what they call Unicode text.
            isUTF16 = [[0xFF, 0xFE], [0xFE, 0xFF]].contains(Array(bytes.prefix(2)))
            return String(validating: bytes, as: UTF8.self)
        }
        guard let text else {
            let (kind, name) =
                isUTF16
                ? ("it is UTF-16", "UTF-16")
                : ("if it is in GBK, as spreadsheets in Chinese save it", "GB18030")
            throw Refusal(
                "\(path): is not UTF-8 text; \(kind): iconv -f \(name) -t UTF-8 FILE > NEWFILE"
            )
        }
        return text
    } catch let failure as TraceFileFailure {
        throw Refusal("\(failure)")
    }
}

/// The tariff that somebody named: shipped, or a file.
func readTariff(_ name: String) throws -> Tariff {
    if let text = TariffCatalog.tariffText(named: name) {
        return try TariffReader.tariff(text: text, file: name)
    }
    guard FileManager.default.fileExists(atPath: name) else {
        let shipped = TariffCatalog.tariffNames
        throw Refusal(
            "--tariff: '\(name)' is no file and not shipped\(didYouMean(name, among: shipped)); "
                + "shipped are \(shipped.joined(separator: ", "))"
        )
    }
    return try TariffReader.tariff(text: readText(name), file: name)
}

extension LogReader {
    /// Reads the log at `path`.
    ///
    /// - Throws: `Refusal` with path, line and field; also where no job is left.
    func trace(at path: String) throws -> Trace {
        do {
            let trace = try TraceFile.log(at: path, self)
            guard !trace.jobs.isEmpty else { throw Refusal("\(path): \(trace.emptinessText)") }
            return trace
        } catch let row as MalformedRow {
            let field = row.field > 0 ? ": field \(row.field)" : ""
            throw Refusal("\(path):\(row.line)\(field): \(row.problem)")
        } catch let failure as TraceFileFailure {
            throw Refusal("\(failure)")
        }
    }
}
