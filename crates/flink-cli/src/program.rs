//! The program that an action is about: its jar or Python file, arguments, and what it starts from.

use flumen_flink_conf::Configuration;
use flumen_flink_manifest::{Application, Python, PythonEntry, Restore};
use flumen_model::FlinkMinor;

use crate::{Error, Surroundings, command_line::CommandLine};

const MODES: [&str; 3] = ["CLAIM", "NO_CLAIM", "LEGACY"];
/// The first minor in which -rm has another name.
const CLAIM_MODE: FlinkMinor = FlinkMinor::new(1, 20);
/// What a Java URL may begin with.
const URL_SCHEMES: [&str; 6] = ["file", "http", "https", "ftp", "jar", "jrt"];
/// What a Python program may need; Flink's client uses it for nothing else in application mode.
const OF_PYTHON: [&str; 6] = ["pyfs", "pyarch", "pyreq", "pyexec", "pyclientexec", "pypath"];

/// A program as the command line gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Program {
    /// The jar as it was given. A Python program has none.
    pub(crate) jar: Option<String>,
    /// Everything else, with `jar` still empty.
    pub(crate) application: Application,
}

/// Reads the options of `run`, `run-application` and `info`.
pub(crate) fn read(
    line: &CommandLine,
    minor: FlinkMinor,
    surroundings: &mut Surroundings<'_>,
) -> Result<Program, Error> {
    let python = python(line);
    if python.is_none() {
        for option in OF_PYTHON.iter().filter(|option| line.has(option)) {
            surroundings.warn(format_args!("-{option} counts together with -py or -pym only"));
        }
    }
    let mut arguments: Vec<String> = if line.has("a") {
        line.values("a").map(str::to_owned).collect()
    } else {
        line.arguments.clone()
    };
    let mut jar = line.value("j").map(str::to_owned);
    if python.is_none() && jar.is_none() && !arguments.is_empty() {
        jar = Some(arguments.remove(0));
    }
    let application = Application {
        jar: None,
        main_class: line.value("c").map(str::to_owned),
        arguments,
        python,
        parallelism: line.value("p").map(parallelism).transpose()?,
        attached: !line.has("d") && !line.has("yd"),
        shutdown_on_attached_exit: line.has("sae"),
        class_paths: line.values("C").map(class_path).collect::<Result<_, _>>()?,
        restore: restore(line, minor, surroundings)?,
    };
    if application.python.is_none() && jar.is_none() {
        return Err(Error::Usage("Java program should be specified a JAR file.".to_owned()));
    }
    Ok(Program { jar, application })
}

/// `-pyfs` and `-pyarch` stand before what the configuration has already.
pub(crate) fn join_python(
    application: &mut Application,
    configuration: &Configuration,
) -> Result<(), Error> {
    let Some(python) = &mut application.python else { return Ok(()) };
    for (key, given) in
        [("python.files", &mut python.files), ("python.archives", &mut python.archives)]
    {
        if let (Some(given), Some(before)) = (given, configuration.string(key)?) {
            *given = format!("{given},{before}");
        }
    }
    Ok(())
}

/// The jar as a URI: one with a scheme stays as it is, a path becomes a `file:` URI.
pub(crate) fn jar_uri(jar: &str, surroundings: &Surroundings<'_>) -> Result<String, Error> {
    if let Some(illegal) = illegal_in_uris(jar) {
        return Err(Error::Failed(format!(
            "The jar {jar:?} is no URI: {illegal:?} is not allowed in one, write it as %{:02X}",
            u32::from(illegal)
        )));
    }
    if has_scheme(jar) {
        return Ok(jar.to_owned());
    }
    // Java takes the path for one that is not escaped yet.
    let path = surroundings.path(jar).to_string_lossy().replace('%', "%25");
    Ok(format!("file:{path}"))
}

/// The first character that Java refuses in a URI.
fn illegal_in_uris(text: &str) -> Option<char> {
    text.chars().find(|c| c.is_control() || " \"<>\\^`{|}[]".contains(*c))
}

pub(crate) fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Flink's client takes a count, and -1 for none.
pub(crate) fn is_parallelism(number: i32) -> bool {
    number > 0 || number == -1
}

fn parallelism(text: &str) -> Result<i32, Error> {
    let number = text.parse().ok().filter(|number| is_parallelism(*number));
    number.ok_or_else(|| Error::Usage(format!("The parallelism must be a positive number: {text}")))
}

fn class_path(text: &str) -> Result<String, Error> {
    let known = text.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match known {
        Some((scheme, rest)) if URL_SCHEMES.contains(&scheme.as_str()) => {
            // Java writes a URL without a host without the slashes before it.
            let rest = rest.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(rest);
            Ok(format!("{scheme}:{rest}"))
        }
        _ => Err(Error::Usage(format!("Bad syntax for classpath: {text}"))),
    }
}

/// How to restore means something only where there is something to restore from.
fn restore(
    line: &CommandLine,
    minor: FlinkMinor,
    surroundings: &mut Surroundings<'_>,
) -> Result<Restore, Error> {
    let Some(path) = line.value("s") else {
        for option in ["n", "rm", "cm"] {
            if line.has(option) {
                surroundings.warn(format_args!("-{option} counts together with -s only"));
            }
        }
        return Ok(Restore::default());
    };
    if line.has("rm") && !line.has("cm") && minor >= CLAIM_MODE {
        surroundings
            .say("The option 'restoreMode' is deprecated. Please use 'claimMode' instead.")?;
    }
    let mode = match line.value("cm").or(line.value("rm")) {
        Some(text) => Some(restore_mode(text)?),
        None => None,
    };
    if mode == Some("LEGACY") && minor >= CLAIM_MODE {
        surroundings.say(
            "Warning: The LEGACY restore mode is deprecated, please use CLAIM or NO_CLAIM mode instead.",
        )?;
    }
    Ok(Restore {
        path: Some(path.to_owned()),
        allow_non_restored_state: line.has("n"),
        mode: mode.map(str::to_owned),
    })
}

fn restore_mode(text: &str) -> Result<&'static str, Error> {
    let found = MODES.into_iter().find(|mode| mode.eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        Error::Failed(format!(
            "Could not parse value {text:?} of the restore mode: expected one of {}",
            MODES.join(", ")
        ))
    })
}

fn python(line: &CommandLine) -> Option<Python> {
    let entry = line.in_order().find_map(|(option, value)| match option.short {
        "py" => Some(PythonEntry::File(value?.to_owned())),
        "pym" => Some(PythonEntry::Module(value?.to_owned())),
        _ => None,
    })?;
    let text = |option| line.value(option).map(str::to_owned);
    Some(Python {
        entry,
        files: text("pyfs"),
        archives: text("pyarch"),
        requirements: text("pyreq"),
        executable: text("pyexec"),
        client_executable: text("pyclientexec"),
        path: text("pypath"),
    })
}
