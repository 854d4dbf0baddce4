// A year of Tianjin's load. What is modelled, and where each number comes from ("assumed" where nobody
// published one):
//
// machine     the 7,168 nodes of Tianhe-1A and the 6,144 of the second platform as 13,312 equal
//             nodes, given whole: a processor of the log is a node
// rate        20,000 jobs a day (the centre's "more than 20,000 online tasks a day")
// classes     T1 gene, sweep, evaluation; T2 CAE, molecular dynamics, materials; T3 weather, seismic;
//             T4 capability. The AI classes run on the centre's cards, not on these nodes; their
//             7.7 % of the jobs are counted to T1, the many small ones, so that the rate holds.
//             A T1 job asks for a quarter of a node and holds a whole one, as on Tianhe.
// run times   log-normal; medians and sigmas assumed so that the load is about two thirds
// days        three peaks a day are published (Feng et al., ACA 2018: Tianhe-1A, 2016-2017); their
//             hours (10, 15 and 21) and the weekend's factor 0.6 are assumed
// users       4,000-10,000 tenants, Zipf 1.0-1.2: here 6,000 and 1.1. Two thirds of the jobs come
//             from Beijing, Tianjin and Hebei (group 1), the others from 27 provinces (groups 2-28)
// sessions    within 8 hours 86 % of a user's jobs have the size of the one before, nearly 40 %
//             nearly its run time (same study)
// estimates   `EstimateModel`; the maximum of 48 hours is assumed
// states      completed, cancelled, failed as .86, .04, .10 (CPU jobs of Seren and Kalos, 2023)

extension LoadMix {
    /// The mix of Tianjin.
    public static let tianjin = LoadMix(
        name: "tianjin",
        nodeCount: 13_312,
        jobsPerDay: 20_000,
        userCount: 6_000,
        longest: 48 * 3_600,
        weekend: 6,
        peaks: [
            Peak(minute: 600, width: 70, height: 1_000),
            Peak(minute: 900, width: 80, height: 1_000),
            Peak(minute: 1_260, width: 70, height: 700),
        ],
        classes: [
            JobClass(
                name: "T1 gene, sweep, evaluation",
                share: 769,
                sizes: [.init(nodes: 1, weight: 1)],
                median: 300,
                sigma: 1_500
            ),
            JobClass(
                name: "T2 CAE, MD, materials",
                share: 200,
                sizes: [
                    .init(nodes: 1, weight: 290), .init(nodes: 2, weight: 260),
                    .init(nodes: 4, weight: 250), .init(nodes: 8, weight: 125),
                    .init(nodes: 16, weight: 75),
                ],
                median: 2_400,
                sigma: 1_300
            ),
            JobClass(
                name: "T3 weather, seismic",
                share: 30,
                sizes: [
                    .init(nodes: 32, weight: 300), .init(nodes: 64, weight: 300),
                    .init(nodes: 128, weight: 280), .init(nodes: 256, weight: 120),
                ],
                median: 7_200,
                sigma: 800
            ),
            JobClass(
                name: "T4 capability",
                share: 1,
                sizes: [.init(nodes: 1_024, weight: 1)],
                median: 3_600,
                sigma: 800
            ),
        ]
    )
}
