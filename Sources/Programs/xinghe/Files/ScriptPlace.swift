import Foundation
import ScriptChecking
import SlurmDialect
import WireFormats

/// The place from which a script is submitted: this folder.
enum ScriptPlace {
    /// A path as it is from any folder.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Fills in the folder in which a job starts, and says what there is to say of its script.
    static func review(_ command: inout SubmitCommand) -> [String] {
        let here = FileManager.default.currentDirectoryPath
        let folder = command.request.workDirectory
        if !folder.hasPrefix("/") {
            command.request.workDirectory = folder.isEmpty ? here : "\(here)/\(folder)"
        }
        command.request.submitDirectory = here
        let warnings =
            command.review { path in
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
                    && isFolder.boolValue
            } + InterpreterCheck.warnings(of: command.request.scriptBytes)
        return warnings.sorted().map(\.description)
    }
}
