use super::{CommandLine, Given, Refusal};
use crate::options::{Argument, CliOption};

/// Reads one token after the other.
pub(super) struct Parser<'a> {
    options: &'a [&'static CliOption],
    stop_at_arguments: bool,
    line: CommandLine,
    /// The place of the option in `line` that may still take values.
    current: Option<usize>,
    /// Everything from here on is an argument.
    done: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(options: &'a [&'static CliOption], stop_at_arguments: bool) -> Self {
        let line = CommandLine::default();
        Self { options, stop_at_arguments, line, current: None, done: false }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// Whether there is an option of this name, short or long.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.option(name).is_some()
    }

    pub(super) fn finish(self) -> Result<CommandLine, Refusal> {
        self.check_values()?;
        Ok(self.line)
    }

    pub(super) fn take(&mut self, token: &str) -> Result<(), Refusal> {
        if self.done {
            self.line.arguments.push(token.to_owned());
        } else if token == "--" {
            self.done = true;
        } else if self.current.is_some_and(|at| self.accepts(at)) && self.is_argument(token) {
            self.add_value(without_quotes(token));
        } else if let Some(name) = token.strip_prefix("--") {
            self.long(token, name)?;
        } else if token.len() > 1 && token.starts_with('-') {
            self.short_or_long(token, &token[1..])?;
        } else {
            self.unknown(token)?;
        }
        if self.current.is_some_and(|at| !self.accepts(at)) {
            self.current = None;
        }
        Ok(())
    }

    /// A name behind two hyphens.
    fn long(&mut self, token: &str, name: &str) -> Result<(), Refusal> {
        match name.split_once('=') {
            Some((name, value)) => self.long_with_value(token, name, value),
            None => self.long_alone(token, name),
        }
    }

    fn long_alone(&mut self, token: &str, name: &str) -> Result<(), Refusal> {
        match self.matching(name)? {
            Some(option) => self.begin(option),
            None => self.unknown(token),
        }
    }

    fn long_with_value(&mut self, token: &str, name: &str, value: &str) -> Result<(), Refusal> {
        match self.matching(name)? {
            Some(option) if option.argument != Argument::None => self.begin_with(option, &[value]),
            _ => self.unknown(token),
        }
    }

    /// A name behind one hyphen: a short or long one, with its value behind `=` or glued to it, or several
    /// short ones at once.
    fn short_or_long(&mut self, token: &str, name: &str) -> Result<(), Refusal> {
        let Some((before, value)) = name.split_once('=') else {
            return self.glued(token, name);
        };
        if before.chars().count() == 1 {
            return match self.option(before) {
                Some(option) if option.argument != Argument::None => {
                    self.begin_with(option, &[value])
                }
                _ => self.unknown(token),
            };
        }
        match self.property(before) {
            Some((option, key)) => self.begin_with(option, &[key, value]),
            None => self.long_with_value(token, before, value),
        }
    }

    fn glued(&mut self, token: &str, name: &str) -> Result<(), Refusal> {
        if let Some(option) = self.short(name) {
            return self.begin(option);
        }
        if name.chars().count() == 1 {
            return self.unknown(token);
        }
        if let Some(option) = self.matching(name)? {
            return self.begin(option);
        }
        if let Some((option, value)) = self.long_prefix(name)
            && option.argument != Argument::None
        {
            return self.begin_with(option, &[value]);
        }
        match self.property(name) {
            Some((option, key)) => self.begin_with(option, &[key]),
            None => self.several(token, name),
        }
    }

    /// `-rs` for `-r -s`, and `-p4` for `-p 4`.
    fn several(&mut self, token: &str, name: &str) -> Result<(), Refusal> {
        for (at, letter) in name.char_indices() {
            let rest = &name[at + letter.len_utf8()..];
            let Some(option) = self.short(letter.encode_utf8(&mut [0; 4])) else {
                let unknown = if self.stop_at_arguments && at > 0 { &name[at..] } else { token };
                return self.unknown(unknown);
            };
            self.begin(option)?;
            if self.current.is_some() && !rest.is_empty() {
                self.add_value(rest);
                break;
            }
        }
        Ok(())
    }

    fn unknown(&mut self, token: &str) -> Result<(), Refusal> {
        if token.len() > 1 && token.starts_with('-') && !self.stop_at_arguments {
            return Err(Refusal::Unrecognized { token: token.to_owned() });
        }
        self.line.arguments.push(token.to_owned());
        self.done |= self.stop_at_arguments;
        Ok(())
    }

    fn begin(&mut self, option: &'static CliOption) -> Result<(), Refusal> {
        self.check_values()?;
        self.current = (option.argument != Argument::None).then_some(self.line.given.len());
        self.line.given.push(Given { option, values: Vec::new() });
        Ok(())
    }

    fn begin_with(&mut self, option: &'static CliOption, values: &[&str]) -> Result<(), Refusal> {
        self.begin(option)?;
        for value in values {
            self.add_value(value);
        }
        self.current = None;
        Ok(())
    }

    /// Adds a value to the current option; that of `-D` is cut at its first `=`.
    fn add_value(&mut self, value: &str) {
        let Some(given) = self.current.and_then(|at| self.line.given.get_mut(at)) else { return };
        let is_key = given.option.argument == Argument::Property && given.values.is_empty();
        match value.split_once('=').filter(|_| is_key) {
            Some((key, value)) => given.values.extend([key.to_owned(), value.to_owned()]),
            None => given.values.push(value.to_owned()),
        }
    }

    fn accepts(&self, at: usize) -> bool {
        let given = &self.line.given[at];
        given.option.values().is_none_or(|most| given.values.len() < most)
    }

    /// The option that values were still due for when something else began.
    fn check_values(&self) -> Result<(), Refusal> {
        let Some(at) = self.current else { return Ok(()) };
        let given = &self.line.given[at];
        let is_short_of = match given.option.argument {
            Argument::None | Argument::Optional(_) => false,
            Argument::Many(_) => given.values.is_empty(),
            Argument::One(_) | Argument::Property => self.accepts(at),
        };
        if is_short_of {
            return Err(Refusal::MissingArgument { option: given.option.short });
        }
        Ok(())
    }

    fn is_argument(&self, token: &str) -> bool {
        !self.is_option(token) || is_negative_number(token)
    }

    fn is_option(&self, token: &str) -> bool {
        if token.len() < 2 || !token.starts_with('-') {
            return false;
        }
        let before = token.split_once('=').map_or(token, |(before, _)| before);
        let name = without_hyphens(before);
        let is_long = self.long_names(name).next().is_some()
            || (!token.starts_with("--") && self.long_prefix(without_hyphens(token)).is_some());
        let letters = &before[1..];
        let first = letters.chars().next().map(|first| first.to_string());
        is_long
            || self.short(without_hyphens(letters)).is_some()
            || first.is_some_and(|first| self.short(&first).is_some())
    }

    fn short(&self, name: &str) -> Option<&'static CliOption> {
        self.options.iter().copied().find(|option| option.short == name)
    }

    fn option(&self, name: &str) -> Option<&'static CliOption> {
        self.short(name)
            .or_else(|| self.options.iter().copied().find(|option| option.long == Some(name)))
    }

    /// The option with this long name, or the only one whose long name begins so.
    fn matching(&self, name: &str) -> Result<Option<&'static CliOption>, Refusal> {
        let mut all: Vec<_> = self.long_names(name).collect();
        if all.len() > 1 {
            let quoted: Vec<_> =
                all.iter().map(|it| format!("'{}'", it.long.unwrap_or_default())).collect();
            let matching = quoted.join(", ");
            return Err(Refusal::Ambiguous { token: name.to_owned(), matching });
        }
        Ok(all.pop())
    }

    fn long_names(&self, name: &str) -> impl Iterator<Item = &'static CliOption> {
        let exact = self.options.iter().any(|option| option.long == Some(name));
        let fits = move |option: &CliOption| {
            option
                .long
                .is_some_and(|long| if exact { long == name } else { long.starts_with(name) })
        };
        let found: Vec<_> = self.options.iter().copied().filter(|option| fits(option)).collect();
        found.into_iter()
    }

    /// A long name of at least two letters that the token begins with, and the rest of at least two.
    fn long_prefix<'t>(&self, name: &'t str) -> Option<(&'static CliOption, &'t str)> {
        let ends = name.char_indices().map(|(at, _)| at).rev().skip(1).filter(|at| *at > 1);
        ends.into_iter().find_map(|at| {
            let (long, rest) = name.split_at(at);
            let option = self.options.iter().copied().find(|option| option.long == Some(long))?;
            Some((option, rest))
        })
    }

    /// The option that takes properties, where the name begins with its letter, and the rest.
    fn property<'t>(&self, name: &'t str) -> Option<(&'static CliOption, &'t str)> {
        let first = name.chars().next()?;
        let (letter, rest) = name.split_at(first.len_utf8());
        let option = self.option(letter)?;
        let takes_more = matches!(option.argument, Argument::Property | Argument::Many(_));
        takes_more.then_some((option, rest))
    }
}

fn without_hyphens(token: &str) -> &str {
    token.strip_prefix("--").or_else(|| token.strip_prefix('-')).unwrap_or(token)
}

/// A value in double quotes that came through the shell loses them.
fn without_quotes(token: &str) -> &str {
    let inner = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(token)
}

fn is_negative_number(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or_default();
    digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.parse::<f64>().is_ok()
}
