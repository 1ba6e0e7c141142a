//! The Java modules that Flink opens to itself. A distribution's own configuration file says so, and
//! the `ConfigMap` takes that file's place.

use flumen_flink_conf::Configuration;
use flumen_model::FlinkMinor;

use crate::{Error, feature::JAVA_MODULES_OPENED, keys};

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

/// The modules before the user's own options; nothing if the user opens modules.
pub(super) fn entries(settled: &Configuration) -> Result<Option<(&'static str, String)>, Error> {
    let minor = settled.minor();
    let has_defaults = minor >= DEFAULT_OPTIONS_SINCE;
    let key = if has_defaults { DEFAULT_OPTIONS } else { keys::JAVA_OPTIONS.key(minor) };
    let given = settled.string(key)?.unwrap_or_default();
    if given.contains("--add-opens") {
        return Ok(None);
    }
    // Since 1.18 Flink's own scripts add it.
    let tolerant = if has_defaults { "" } else { TOLERANT };
    let all = format!("{tolerant} {} {given}", module_options());
    Ok(Some((key, all.trim().to_owned())))
}

/// What a distribution's own configuration file says of them, in the minors where it does.
pub fn java_options_of_distribution(minor: FlinkMinor) -> Option<(&'static str, String)> {
    let key = keys::JAVA_OPTIONS.key(minor);
    JAVA_MODULES_OPENED.is_in(minor).then(|| (key, module_options()))
}

fn module_options() -> String {
    let exports = EXPORTS.iter().map(|package| format!("--add-exports={package}=ALL-UNNAMED"));
    let opens = OPENS.iter().map(|package| format!("--add-opens={package}=ALL-UNNAMED"));
    let all: Vec<_> = exports.chain(opens).collect();
    all.join(" ")
}
