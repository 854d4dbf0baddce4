// What the options of the commands about people, priorities and use do.

extension HelpPage {
    static var priorities: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...]"],
            summary: "Tells what the priorities of jobs that wait are made of."
        )
        page.add(PriorityCommand.table, silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .format: OptionText("columns, such as \"%.15i %10Y\"", value: "FORMAT")
            case .help, .usage: help
            case .jobs: OptionText("these jobs", value: "JOBS")
            case .long: OptionText("more columns")
            case .noHeader: OptionText("no head over the columns")
            case .norm: OptionText("factors from 0 to 1, not weighed")
            case .partition: OptionText("jobs in these partitions", value: "A,B")
            case .sort: OptionText("i by number, Y by priority, -Y highest first", value: "KEY")
            case .user: OptionText("jobs of these users", value: "A,B")
            case .version: version
            case .weights: OptionText("what each factor weighs")
            }
        }
        return page
    }

    static var shares: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...]"],
            summary: "Lists what accounts and users are entitled to, and what they used."
        )
        page.add(ShareCommand.table, silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .account: OptionText("these accounts", value: "A,B")
            case .all: OptionText("all users")
            case .format: OptionText("columns, such as Account%30,FairShare", value: "FIELDS")
            case .help, .usage: help
            case .helpFormat: OptionText("which columns there are")
            case .long: OptionText("more columns")
            case .noHeader: OptionText("no head over the columns")
            case .parsable: OptionText("columns with | after each")
            case .parsable2: OptionText("columns with | between them")
            case .user: OptionText("these users", value: "A,B")
            case .usersOnly: OptionText("users alone, without accounts")
            case .version: version
            }
        }
        return page
    }

    static var accountManager: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...] COMMAND"],
            summary: "Lists and changes accounts, users, coordinators and QOS."
        )
        page.actions = [
            ("show account|user|association", "list; format=FIELDS, name=NAME, withcoord"),
            ("show qos|cluster|tres", "list"),
            ("add account NAME [NAME=VALUE...]", "such as fairshare=2 parent=A GrpTRES=cpu=8"),
            ("add user NAME account=ACCOUNT", "and the same settings"),
            ("modify user where name=A set ...", "change what is said of users or accounts"),
            ("delete user|account NAME", "remove"),
            ("add|delete coordinator", "account=A names=N: who looks after an account"),
            ("add|modify|delete qos NAME", "such as Priority=10 MaxWall=1-0"),
            ("dump", "all of them, as load reads them"),
            ("load FILE", "add what is in a file"),
        ]
        page.add(AccountManagerCommand.table, silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .help, .usage: help
            case .immediate: OptionText("not to ask whether a change is meant")
            case .json: json
            case .noHeader: OptionText("no head over the columns")
            case .parsable: OptionText("columns with | after each")
            case .parsable2: OptionText("columns with | between them")
            case .readOnly: OptionText("only to list")
            case .version: version
            case .yaml: yaml
            }
        }
        return page
    }

    static var report: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...] REPORT [start=TIME] [end=TIME]"],
            summary: "Reports what was used, in whole hours."
        )
        page.actions = [
            ("cluster utilization", "of all cores"),
            ("cluster accountutilizationbyuser", "by account, then user"),
            ("cluster userutilizationbyaccount", "by user, then account"),
            ("user topusage [topcount=N]", "who used most"),
            ("job sizesbyaccount", "by size of job"),
        ]
        page.add(ReportCommand.table, silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .help, .usage: help
            case .noHeader: OptionText("no heads")
            case .parsable: OptionText("columns with | after each")
            case .parsable2: OptionText("columns with | between them")
            case .time: OptionText("seconds, minutes or hours", value: "UNIT")
            case .version: version
            }
        }
        return page
    }

    static var stepStatistics: HelpPage {
        var page = HelpPage(
            synopsis: ["[OPTIONS...] -j JOB[.STEP]"],
            summary: "Lists what the steps of running jobs use."
        )
        page.add(StepStatisticsCommand.table, silent: [(.accepted, lacking)]) {
            switch $0 {
            case .accepted: nil
            case .all: OptionText("the script's step too")
            case .format: OptionText("columns, such as JobID,MaxRSS", value: "FIELDS")
            case .help, .usage: help
            case .helpFormat: OptionText("which columns there are")
            case .jobs: OptionText("these jobs", value: "JOBS")
            case .noHeader: OptionText("no head over the columns")
            case .parsable: OptionText("columns with | after each")
            case .parsable2: OptionText("columns with | between them")
            case .version: version
            }
        }
        return page
    }
}
