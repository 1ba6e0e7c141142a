use flumen_model::FlinkMinor;

use super::{Action, ActionEntry, Argument, CliOption};
use Action::{Cancel, Checkpoint, Info, List, Run, RunApplication, Savepoint, Session, Stop};
use Argument::{Many, None as Flag, One, Optional, Property};

const FIRST: FlinkMinor = FlinkMinor::new(1, 11);

const EVERY: &[Action] =
    &[Run, RunApplication, Info, List, Stop, Cancel, Savepoint, Checkpoint, Session];
const ACTIONS_OF_FLINK: &[Action] =
    &[Run, RunApplication, Info, List, Stop, Cancel, Savepoint, Checkpoint];
const PROGRAMS: &[Action] = &[Run, RunApplication, Info];
const RUNS: &[Action] = &[Run, RunApplication];
const SAVEPOINTS: &[Action] = &[Stop, Cancel, Savepoint];

const fn action(
    action: Action,
    name: &'static str,
    syntax: &'static str,
    about: &'static str,
) -> ActionEntry {
    ActionEntry { action, name, syntax, about, since: FIRST, until: None }
}

/// The actions in the order of the help.
pub(crate) const ACTIONS: &[ActionEntry] = &[
    action(
        Run,
        "run",
        "[OPTIONS] <jar-file> <arguments>",
        "runs a program in a session, or from 2.0 as an application",
    ),
    ActionEntry {
        until: Some(FlinkMinor::new(1, 20)),
        ..action(
            RunApplication,
            "run-application",
            "[OPTIONS] <jar-file> <arguments>",
            "runs a program as an application with a cluster of its own",
        )
    },
    action(
        Info,
        "info",
        "[OPTIONS] <jar-file> <arguments>",
        "shows the plan of a program, made by a session",
    ),
    action(List, "list", "[OPTIONS]", "lists jobs"),
    action(Stop, "stop", "[OPTIONS] <Job ID>", "ends a job with a savepoint"),
    action(Cancel, "cancel", "[OPTIONS] <Job ID>", "cancels a job"),
    action(
        Savepoint,
        "savepoint",
        "[OPTIONS] <Job ID> [<target directory>]",
        "takes a savepoint of a job, or disposes of one",
    ),
    ActionEntry {
        since: FlinkMinor::new(1, 19),
        ..action(Checkpoint, "checkpoint", "[OPTIONS] <Job ID>", "takes a checkpoint of a job")
    },
];

const fn option(
    actions: &'static [Action],
    short: &'static str,
    long: &'static str,
    argument: Argument,
    does: &'static str,
) -> CliOption {
    CliOption { actions, short, long: Some(long), argument, since: FIRST, until: None, does }
}

const fn since(major: u16, minor: u16, option: CliOption) -> CliOption {
    CliOption { since: FlinkMinor::new(major, minor), ..option }
}

const fn until(major: u16, minor: u16, option: CliOption) -> CliOption {
    CliOption { until: Some(FlinkMinor::new(major, minor)), ..option }
}

const fn short_only(option: CliOption) -> CliOption {
    CliOption { long: None, ..option }
}

/// Every option, those of single actions first.
pub(crate) const OPTIONS: &[CliOption] = &[
    option(
        PROGRAMS,
        "c",
        "class",
        One("classname"),
        "Class with the method main; written as `$internal.application.main`, or sent to the session",
    ),
    option(
        PROGRAMS,
        "C",
        "classpath",
        One("url"),
        "Entry of the class path, repeatable; written as `pipeline.classpaths`; in a session from 1.17 on",
    ),
    option(
        PROGRAMS,
        "p",
        "parallelism",
        One("parallelism"),
        "Parallelism, above 0; written as `parallelism.default`, or sent to the session",
    ),
    option(
        PROGRAMS,
        "d",
        "detached",
        Flag,
        "Do not wait for the end of the job; written as `execution.attached: false`",
    ),
    option(
        PROGRAMS,
        "sae",
        "shutdownOnAttachedExit",
        Flag,
        "Written as `execution.shutdown-on-attached-exit`; in a session Ctrl-C cancels the job",
    ),
    until(1, 20, option(PROGRAMS, "yd", "yarndetached", Flag, "The same as -d")),
    until(
        1,
        11,
        option(
            PROGRAMS,
            "q",
            "sysoutLogging",
            Flag,
            "Taken and without effect: Flumen logs nothing to standard output",
        ),
    ),
    option(
        PROGRAMS,
        "a",
        "arguments",
        Many("programArgs"),
        "Arguments of the program, instead of those behind the jar",
    ),
    option(
        PROGRAMS,
        "j",
        "jarfile",
        One("jarfile"),
        "The program's jar, instead of the first argument",
    ),
    option(
        PROGRAMS,
        "py",
        "python",
        One("pythonFile"),
        "Python program; as an application written as `--python`; in a session carried out by PyFlink, where it is installed",
    ),
    option(
        PROGRAMS,
        "pym",
        "pyModule",
        One("pythonModule"),
        "Python module; as an application written as `--pyModule`; in a session carried out by PyFlink, where it is installed",
    ),
    option(
        PROGRAMS,
        "pyfs",
        "pyFiles",
        One("pythonFiles"),
        "Written as `python.files`, before what is set there already",
    ),
    option(
        PROGRAMS,
        "pyarch",
        "pyArchives",
        One("archives"),
        "Written as `python.archives`, before what is set there already",
    ),
    option(
        PROGRAMS,
        "pyreq",
        "pyRequirements",
        One("requirements"),
        "Written as `python.requirements`",
    ),
    option(PROGRAMS, "pyexec", "pyExecutable", One("path"), "Written as `python.executable`"),
    since(
        1,
        14,
        option(
            PROGRAMS,
            "pyclientexec",
            "pyClientExecutable",
            One("path"),
            "Written as `python.client.executable`; in a session the interpreter that has PyFlink",
        ),
    ),
    since(
        1,
        18,
        option(PROGRAMS, "pypath", "pyPythonPath", One("path"), "Written as `python.pythonpath`"),
    ),
    option(
        RUNS,
        "s",
        "fromSavepoint",
        One("savepointPath"),
        "Savepoint or checkpoint to start from",
    ),
    option(
        RUNS,
        "n",
        "allowNonRestoredState",
        Flag,
        "Drop state that no operator takes; counts together with -s only",
    ),
    since(
        1,
        15,
        option(
            RUNS,
            "rm",
            "restoreMode",
            One("mode"),
            "CLAIM, NO_CLAIM or LEGACY; counts together with -s only; from 1.20 on use -cm",
        ),
    ),
    since(
        1,
        20,
        option(
            RUNS,
            "cm",
            "claimMode",
            One("mode"),
            "CLAIM, NO_CLAIM or LEGACY; counts together with -s only",
        ),
    ),
    option(&[List], "r", "running", Flag, "Show jobs that run or restart"),
    option(&[List], "s", "scheduled", Flag, "Show jobs that have not started yet"),
    option(&[List], "a", "all", Flag, "Show all jobs, also those that have ended"),
    option(
        &[Stop],
        "p",
        "savepointPath",
        Optional("savepointPath"),
        "Directory for the savepoint; default: that of the cluster's configuration",
    ),
    option(
        &[Stop],
        "d",
        "drain",
        Flag,
        "Let the sources end as if their input were over before the savepoint",
    ),
    option(
        &[Cancel],
        "s",
        "withSavepoint",
        Optional("targetDirectory"),
        "Take a savepoint first; default directory: that of the cluster's configuration",
    ),
    option(&[Savepoint], "d", "dispose", One("path"), "Dispose of the savepoint at this path"),
    option(&[Savepoint], "j", "jarfile", One("jarfile"), "Taken and without effect, as in Flink"),
    since(
        1,
        15,
        option(
            SAVEPOINTS,
            "type",
            "type",
            One("format"),
            "Format of the savepoint: CANONICAL (default) or NATIVE",
        ),
    ),
    short_only(since(
        1,
        19,
        option(
            &[Stop, Savepoint],
            "detached",
            "",
            Flag,
            "Print the trigger's id and do not wait for the savepoint",
        ),
    )),
    since(
        1,
        19,
        option(
            &[Checkpoint],
            "full",
            "full",
            Flag,
            "Take a full checkpoint, not one as configured",
        ),
    ),
    option(ACTIONS_OF_FLINK, "v", "verbose", Flag, "Taken and without effect, as in Flink"),
    option(EVERY, "h", "help", Flag, "Show the options of the action"),
    option(
        EVERY,
        "t",
        "target",
        One("target"),
        "`kubernetes-application`, `kubernetes-session` or `remote`; written as `execution.target`",
    ),
    option(
        EVERY,
        "e",
        "executor",
        One("target"),
        "The older name of -t, which counts if both are given",
    ),
    short_only(option(
        EVERY,
        "D",
        "",
        Property,
        "Any option of Flink, repeatable; without a value it is `true`; counts over -t and the file",
    )),
    option(
        ACTIONS_OF_FLINK,
        "m",
        "jobmanager",
        One("host:port"),
        "Address of the JobManager, for the target `remote`; a URL may be given too",
    ),
    option(
        ACTIONS_OF_FLINK,
        "z",
        "zookeeperNamespace",
        One("namespace"),
        "Taken for the target `remote` and written as `high-availability.cluster-id`; Flumen asks no ZooKeeper",
    ),
];
