public import WireFormats

extension SubmitResponse {
    /// Why the job could never start as things are, for whoever has submitted it; nil when it can. Slurm says nothing
    /// until somebody looks why the job waits.
    ///
    /// - Parameter program: the name of the command.
    public func warning(of program: String, in words: MessageLanguage) -> String? {
        obstacle.map { obstacle in
            words(
                "\(program)：警告：作业 \(jobID) 照此不能启动（\(obstacle)：\(JobExplanation.meaning(of: obstacle, words))）；"
                    + "怎样才能启动，见 yhcontrol explain \(jobID)",
                "\(program): warning: job \(jobID) cannot start as things are (\(obstacle):"
                    + " \(JobExplanation.meaning(of: obstacle, words)));"
                    + " 'yhcontrol explain \(jobID)' says what would help"
            )
        }
    }
}
