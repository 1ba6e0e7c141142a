//! From arguments to an action, as `bin/flink` does it.

use flumen_model::FlinkMinor;
use tokio::runtime::Builder;

use crate::{
    Error, Surroundings,
    actions::{
        Request, cancel, checkpoint, info, list, run as run_action, run_application, savepoint,
        stop,
    },
    command_line::CommandLine,
    effective, help,
    home::Home,
    options::{ACTIONS, Action, of_action},
    report::{FAILED, report},
    session,
};

/// What Flink's client ends with when it fails before its action began (since 1.17).
const BEFORE_THE_ACTION: u8 = 31;
const ENDS_WITH_31: FlinkMinor = FlinkMinor::new(1, 17);

/// Which of Flink's programs is stood in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `bin/flink`.
    Flink,
    /// `bin/kubernetes-session.sh`.
    KubernetesSession,
}

impl Program {
    /// The program whose name this is, as the last part of the path that a process was called by.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "flink" | "flink.sh" => Some(Self::Flink),
            "kubernetes-session" | "kubernetes-session.sh" => Some(Self::KubernetesSession),
            _ => None,
        }
    }
}

/// Runs one of Flink's programs. What comes back is the status that the process ends with: that of
/// Flink's client.
pub fn run(program: Program, arguments: &[String], surroundings: &mut Surroundings<'_>) -> u8 {
    match begin(program, arguments, surroundings) {
        Ok(code) => code,
        Err(error) => report(&error, surroundings),
    }
}

fn begin(
    program: Program,
    arguments: &[String],
    surroundings: &mut Surroundings<'_>,
) -> Result<u8, Error> {
    let home = match Home::find(surroundings) {
        Err(ref error @ Error::NoConfigurationFolder { minor, .. })
            if program == Program::Flink =>
        {
            return Ok(before_the_action(error, minor, surroundings));
        }
        other => other?,
    };
    let minor = home.version.minor();
    if program == Program::KubernetesSession {
        let options = of_action(Action::Session, minor);
        let line = CommandLine::parse(&options, arguments, true)?;
        if line.has("h") {
            help::print(&help::of(Action::Session, minor), surroundings)?;
            return Ok(0);
        }
        return block_on(session::run(&home, &line, surroundings)).map(|()| 0);
    }
    let Some((name, rest)) = arguments.split_first() else {
        help::print(&help::all(minor), surroundings)?;
        surroundings.say("Please specify an action.")?;
        return Ok(FAILED);
    };
    match name.as_str() {
        "-h" | "--help" => {
            help::print(&help::all(minor), surroundings)?;
            return Ok(0);
        }
        "-v" | "--version" => {
            surroundings.say(format!("Version: {}", home.version))?;
            return Ok(0);
        }
        _ => {}
    }
    let known = ACTIONS.iter().find(|entry| entry.name == name && entry.is_in(minor));
    let Some(entry) = known else {
        no_such_action(name, minor, surroundings)?;
        return Ok(FAILED);
    };
    act(entry.action, &home, rest, surroundings)
}

/// Tells what went wrong before `bin/flink` came to its action, and returns what it ends with.
fn before_the_action(error: &Error, minor: FlinkMinor, surroundings: &mut Surroundings<'_>) -> u8 {
    let failed = report(error, surroundings);
    if minor >= ENDS_WITH_31 { BEFORE_THE_ACTION } else { failed }
}

fn act(
    action: Action,
    home: &Home,
    arguments: &[String],
    surroundings: &mut Surroundings<'_>,
) -> Result<u8, Error> {
    let minor = home.version.minor();
    let file = match effective::from_folder(home, surroundings) {
        Ok(file) => file,
        Err(error) => return Ok(before_the_action(&error, minor, surroundings)),
    };
    let programs = [Action::Run, Action::RunApplication, Action::Info];
    let options = of_action(action, minor);
    let line = CommandLine::parse(&options, arguments, programs.contains(&action))?;
    if line.has("h") {
        help::print(&help::of(action, minor), surroundings)?;
        return Ok(0);
    }
    let configuration = effective::apply(file, &line, surroundings)?;
    let request = Request { minor, given: arguments.to_vec(), line, configuration };
    block_on(async {
        match action {
            Action::Run => Box::pin(run_action::run(home, request, surroundings)).await,
            Action::RunApplication => {
                Box::pin(run_application::run_application(home, request, surroundings)).await
            }
            Action::Info => info::info(&request, surroundings).await,
            Action::List => list::list(&request, surroundings).await,
            Action::Stop => stop::stop(&request, surroundings).await,
            Action::Cancel => cancel::cancel(&request, surroundings).await,
            Action::Savepoint => savepoint::savepoint(&request, surroundings).await,
            Action::Checkpoint => checkpoint::checkpoint(&request, surroundings).await,
            Action::Session => Ok(()),
        }
    })
    .map(|()| 0)
}

fn no_such_action(
    name: &str,
    minor: FlinkMinor,
    surroundings: &mut Surroundings<'_>,
) -> Result<(), Error> {
    let valid: Vec<_> = ACTIONS
        .iter()
        .filter(|entry| entry.is_in(minor))
        .map(|entry| format!("\"{}\"", entry.name))
        .collect();
    surroundings.say(format!("\"{name}\" is not a valid action."))?;
    surroundings.say("")?;
    surroundings.say(format!("Valid actions of Flink {minor} are {}.", valid.join(", ")))?;
    if name == "run-application" {
        surroundings
            .say("Since Flink 2.0 an application is run by `run -t kubernetes-application`.")?;
    }
    surroundings.say("")?;
    surroundings.say("Specify the version option (-v or --version) to print Flink version.")?;
    surroundings.say("")?;
    surroundings.say("Specify the help option (-h or --help) to get help on the command.")?;
    Ok(())
}

fn block_on(work: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}
