//! Environment variables, as every command takes them.

use std::ffi::OsString;

use crate::Error;

/// Looks an environment variable up as the process has it.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// How the variables that are Flumen's own begin.
const OURS: &str = "FLUMEN_";

/// The text of an environment variable; `None` where it is not set. An empty one of Flumen's own is a
/// mistake; an empty one of others is one that is not set, as they mean it.
///
/// # Errors
/// It is not UTF-8 text, or Flumen's own and empty.
pub fn variable(variables: Variables<'_>, name: &str) -> Result<Option<String>, Error> {
    let Some(value) = variables(name) else { return Ok(None) };
    // The value itself is not said: it may be a token.
    let text =
        value.into_string().map_err(|_| Error::VariableIsNoText { variable: name.to_owned() })?;
    match (text.is_empty(), name.starts_with(OURS)) {
        (true, true) => Err(Error::VariableIsEmpty { variable: name.to_owned() }),
        (true, false) => Ok(None),
        (false, _) => Ok(Some(text)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn an_empty_variable_of_ours_is_refused_and_one_of_others_is_not_set() {
        let empty: Variables<'_> = &|_| Some(OsString::new());
        let error = variable(empty, "FLUMEN_SERVER").expect_err("empty").to_string();
        assert!(error.contains("FLUMEN_SERVER is empty"), "{error}");
        assert_eq!(variable(empty, "XDG_DATA_HOME").ok(), Some(None));
    }

    #[test]
    fn a_variable_that_is_no_text_is_refused_without_its_value() {
        let bytes: Variables<'_> = &|_| Some(OsString::from_vec(b"secret\xff".to_vec()));
        for name in ["FLUMEN_TOKEN", "HOME"] {
            let error = variable(bytes, name).expect_err(name);
            assert_eq!(error.kind(), flumen_model::Kind::Invalid);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
