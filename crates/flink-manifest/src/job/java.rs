//! The Java modules that Flink opens to itself. A distribution's own configuration file says so, and
//! the `ConfigMap` takes that file's place.

use flumen_flink_conf::Configuration;
use flumen_model::FlinkMinor;

use crate::{Error, keys};

/// Options that come before those of users, who thus lose nothing by setting theirs.
const DEFAULT_OPTIONS: &str = "env.java.default-opts.all";
const DEFAULT_OPTIONS_SINCE: FlinkMinor = FlinkMinor::new(1, 19);

/// Java 8 does not know modules; with this it does not stop at their options.
const TOLERANT: &str = "-XX:+IgnoreUnrecognizedVMOptions";

const EXPORTS: [&str; 8] = [
    "java.base/sun.net.util",
    "java.rmi/sun.rmi.registry",
    "jdk.compiler/com.sun.tools.javac.api",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.compiler/com.sun.tools.javac.parser",
    "jdk.compiler/com.sun.tools.javac.tree",
    "jdk.compiler/com.sun.tools.javac.util",
    "java.security.jgss/sun.security.krb5",
];
const OPENS: [&str; 12] = [
    "java.base/java.lang",
    "java.base/java.net",
    "java.base/java.io",
    "java.base/java.nio",
    "java.base/sun.nio.ch",
    "java.base/java.lang.reflect",
    "java.base/java.text",
    "java.base/java.time",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/java.util.concurrent.locks",
];

pub(super) fn write(configuration: &mut Configuration) -> Result<(), Error> {
    let minor = configuration.minor();
    let since_default_options = minor >= DEFAULT_OPTIONS_SINCE;
    let key = if since_default_options { DEFAULT_OPTIONS } else { keys::JAVA_OPTIONS.key(minor) };
    let given = configuration.string(key)?.unwrap_or_default();
    if given.contains("--add-opens") {
        return Ok(());
    }
    // An alias of the key must not stand beside it with another value.
    if let Some(alias) = configuration.entry_of(key).map(|(found, _)| found.to_owned()) {
        configuration.remove(&alias);
    }
    let modules = module_options();
    let all = if given.trim().is_empty() { modules } else { format!("{modules} {given}") };
    configuration.set_text(key, all);
    Ok(())
}

fn module_options() -> String {
    let exports = EXPORTS.iter().map(|package| format!("--add-exports={package}=ALL-UNNAMED"));
    let opens = OPENS.iter().map(|package| format!("--add-opens={package}=ALL-UNNAMED"));
    let all: Vec<_> = std::iter::once(TOLERANT.to_owned()).chain(exports).chain(opens).collect();
    all.join(" ")
}
