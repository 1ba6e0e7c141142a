//! What is asked for in the query of `exec`. Pure.

/// A command and what is to be connected with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the query has one flag for each")]
pub(super) struct Options {
    pub(super) command: Vec<String>,
    pub(super) stdin: bool,
    pub(super) stdout: bool,
    pub(super) stderr: bool,
    pub(super) terminal: bool,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("you must specify at least 1 of stdin, stdout, stderr")]
    NoStream,
    #[error("you must specify at least one word of a command")]
    NoCommand,
}

impl Options {
    /// Under the names that an API server gives them.
    pub(super) fn read(query: &[(String, String)]) -> Result<Self, Problem> {
        let of = |name: &str| {
            let name = name.to_owned();
            query.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value.clone())
        };
        let is_set = |name: &str| of(name).any(|value| value == "1" || value == "true");
        let terminal = is_set("tty");
        let options = Self {
            command: of("command").collect(),
            stdin: is_set("input"),
            stdout: is_set("output"),
            // A terminal has only one output.
            stderr: is_set("error") && !terminal,
            terminal,
        };
        if !(options.stdin || options.stdout || options.stderr) {
            Err(Problem::NoStream)
        } else if options.command.is_empty() {
            Err(Problem::NoCommand)
        } else {
            Ok(options)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)]) -> Result<Options, Problem> {
        let pairs: Vec<_> =
            query.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        Options::read(&pairs)
    }

    #[test]
    fn words_keep_their_order_and_a_terminal_has_one_output() {
        let options = read(&[
            ("command", "sh"),
            ("input", "1"),
            ("command", ""),
            ("output", "1"),
            ("error", "1"),
            ("tty", "1"),
        ]);
        let expected = Options {
            command: vec!["sh".into(), String::new()],
            stdin: true,
            stdout: true,
            stderr: false,
            terminal: true,
        };
        assert_eq!(options, Ok(expected));
        assert!(read(&[("command", "sh"), ("error", "true")]).unwrap().stderr);
    }

    #[test]
    fn nothing_to_do_is_refused() {
        assert_eq!(read(&[("command", "sh"), ("input", "0")]), Err(Problem::NoStream));
        assert_eq!(read(&[("output", "1")]), Err(Problem::NoCommand));
    }
}
