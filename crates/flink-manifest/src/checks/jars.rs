use flumen_model::FlinkMinor;

use crate::{
    Application, Error,
    feature::{ANY_JAR_SCHEME, NO_JAR},
};

/// Where the jar may lie, and whether there must be one.
pub(super) fn check(application: &Application, minor: FlinkMinor) -> Result<(), Error> {
    if application.python.is_some() {
        return Ok(());
    }
    match &application.jar {
        None if NO_JAR.is_in(minor) => Ok(()),
        None => Err(Error::JarMissing { minor }),
        Some(uri) if ANY_JAR_SCHEME.is_in(minor) || is_local(uri) => Ok(()),
        Some(uri) => Err(Error::JarNotLocal { uri: uri.clone(), minor }),
    }
}

/// `local:` and an absolute path.
fn is_local(uri: &str) -> bool {
    uri.strip_prefix("local:").is_some_and(|path| path.starts_with('/'))
}
