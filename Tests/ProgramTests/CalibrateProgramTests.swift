import Foundation
import Testing

@Suite("xinghe calibrate")
struct CalibrateProgramTests {
    @Test("A BLAS that is too slow for the processor makes no profile unless it is accepted")
    func slowBlasIsRefused() throws {
        let folder = try Folder()
        // Measures gemm and stream in no time, and nothing else.
        let kernel = try folder.write(
            "kernel.sh",
            """
            #!/bin/sh
            [ "$1" = gemm ] || [ "$1" = stream ] || exit 3
            [ "$OMPI_COMM_WORLD_RANK" = 0 ] || exit 0
            echo '{"kernel":"'$1'","verified":true,"best_flop_per_s":1e9,"best_byte_per_s":1e9,"on":\
            {"blas":"OpenBLAS 0.3.21","blas_core":"Prescott","blas_core_better":"Haswell"}}'
            """
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: kernel)
        let profile = folder.path("host.json")
        let command = ["calibrate", "--quick", "--kernel-program", kernel, "--out", profile]
        let refused = try xinghe(command)
        #expect(refused.status == 1)
        #expect(refused.errors.contains("its core Prescott"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: profile))
        let accepted = try xinghe(command + ["--accept-slow-blas"])
        #expect(accepted.errors.contains("calibrate: align small"), "\(accepted.errors)")
    }
}
