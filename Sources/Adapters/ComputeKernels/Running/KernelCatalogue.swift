/// All kernels, by name.
public enum KernelCatalogue {
    static var kernels: [any Kernel.Type] {
        [
            AlignmentKernel.self,
            ConjugateGradientKernel.self,
            CommunicationKernel.self,
            FourierKernel.self,
            MatrixProductKernel.self,
            GraphKernel.self,
            InferenceKernel.self,
            LUKernel.self,
            MolecularDynamicsKernel.self,
            ShallowWaterKernel.self,
            StencilKernel.self,
            StreamKernel.self,
            TrainingKernel.self,
        ]
    }

    /// What users see of each kernel, in order of name.
    public static var profiles: [KernelProfile] {
        kernels.map { $0.profile }
    }

    static func kernel(named name: String) throws(KernelFailure) -> any Kernel.Type {
        guard let kernel = kernels.first(where: { $0.profile.name == name }) else {
            throw .unknownKernel(name)
        }
        return kernel
    }
}
