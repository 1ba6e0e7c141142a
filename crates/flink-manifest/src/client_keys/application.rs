//! The keys that come from the options of `flink run-application`.

use flumen_flink_conf::Value;
use flumen_model::FlinkMinor;

use super::Writer;
use crate::{
    Application, Error, Python, PythonEntry, Restore,
    feature::{EMPTY_LISTS_WRITTEN, PYTHON_APPLICATIONS, RESTORE_MODE, STATE_RECOVERY_KEYS},
    keys,
};

const PYTHON_DRIVER: &str = "org.apache.flink.client.python.PythonDriver";
const DEFAULT_RESTORE_MODE: &str = "NO_CLAIM";

pub(super) fn write(
    writer: &mut Writer,
    application: &Application,
    minor: FlinkMinor,
) -> Result<(), Error> {
    if let Some(parallelism) = application.parallelism {
        writer.write(keys::PARALLELISM, i64::from(parallelism));
    }
    writer.write(keys::ATTACHED, application.attached);
    writer.write(keys::SHUTDOWN_ON_EXIT, application.shutdown_on_attached_exit);
    list(writer, keys::CLASS_PATHS, &application.class_paths, minor);
    restore(writer, &application.restore, minor);
    let (jars, main_class, arguments) = match &application.python {
        None => {
            let jars: Vec<_> = application.jar.iter().cloned().collect();
            (jars, application.main_class.clone(), application.arguments.clone())
        }
        Some(_) if !PYTHON_APPLICATIONS.is_in(minor) => {
            return Err(Error::PythonUnsupported { minor });
        }
        Some(python) => {
            python_options(writer, python);
            let mut arguments = entry(&python.entry);
            arguments.extend(application.arguments.iter().cloned());
            (Vec::new(), Some(PYTHON_DRIVER.to_owned()), arguments)
        }
    };
    list(writer, keys::JARS, &jars, minor);
    list(writer, keys::PROGRAM_ARGUMENTS, &arguments, minor);
    if let Some(main_class) = main_class {
        writer.write(keys::MAIN_CLASS, main_class);
    }
    Ok(())
}

/// Writes a list; what the user gave is gone also where an empty list is not written at all.
fn list(writer: &mut Writer, key: &str, items: &[String], minor: FlinkMinor) {
    writer.write(key, Value::List(items.to_vec()));
    if items.is_empty() && !EMPTY_LISTS_WRITTEN.is_in(minor) {
        writer.configuration.remove(key);
    }
}

fn restore(writer: &mut Writer, restore: &Restore, minor: FlinkMinor) {
    let (ignore, mode, path) = if STATE_RECOVERY_KEYS.is_in(minor) {
        (
            "execution.state-recovery.ignore-unclaimed-state",
            "execution.state-recovery.claim-mode",
            "execution.state-recovery.path",
        )
    } else {
        (
            "execution.savepoint.ignore-unclaimed-state",
            "execution.savepoint-restore-mode",
            "execution.savepoint.path",
        )
    };
    writer.write(ignore, restore.allow_non_restored_state);
    if RESTORE_MODE.is_in(minor) {
        writer.write(mode, restore.mode.as_deref().unwrap_or(DEFAULT_RESTORE_MODE));
    }
    if let Some(from) = &restore.path {
        writer.write(path, from.as_str());
    }
}

fn entry(entry: &PythonEntry) -> Vec<String> {
    let (option, value) = match entry {
        PythonEntry::File(file) => ("--python", file),
        PythonEntry::Module(module) => ("--pyModule", module),
    };
    vec![option.to_owned(), value.clone()]
}

fn python_options(writer: &mut Writer, python: &Python) {
    for (key, value) in [
        ("python.files", &python.files),
        ("python.archives", &python.archives),
        ("python.requirements", &python.requirements),
        ("python.executable", &python.executable),
        ("python.client.executable", &python.client_executable),
        ("python.pythonpath", &python.path),
    ] {
        if let Some(value) = value {
            writer.write(key, value.as_str());
        }
    }
}
