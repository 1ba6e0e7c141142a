//! Files of requirements, as far as they name packages of an index.

use std::str::FromStr as _;

use flumen_model::Digest;
use pep508_rs::{PackageName, Pep508ErrorSource, Requirement, VerbatimUrl, VersionOrUrl};

use crate::Error;

/// A line of a requirements file.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub(crate) requirement: Requirement,
    pub(crate) hashes: Vec<Digest>,
    /// The file and the line, for messages.
    pub(crate) place: String,
    pub(crate) file: String,
}

/// Options that say what is done anyway.
const OF_NO_EFFECT: [&str; 4] =
    ["--require-hashes", "--prefer-binary", "--only-binary=:all:", "--only-binary :all:"];

/// Reads the text of a requirements file; `file` is its name, for messages.
///
/// # Errors
/// `Invalid` for a line that names no package of an index, with what to do.
pub fn parse(file: &str, text: &str) -> Result<Vec<Wanted>, Error> {
    let mut wanted = Vec::new();
    for (line, text) in logical_lines(text) {
        let refuse =
            |problem: String| Error::ReadRequirement { file: file.to_owned(), line, problem };
        let (requirement, options) = split_options(&text);
        if requirement.is_empty() {
            if OF_NO_EFFECT.contains(&options) {
                continue;
            }
            return Err(refuse(refused_option(options)));
        }
        if let Some(problem) = elsewhere(requirement) {
            return Err(refuse(problem));
        }
        let hashes = hashes(options).map_err(refuse)?;
        let parsed = Requirement::<VerbatimUrl>::from_str(requirement).map_err(|error| {
            // Its own text underlines the place in the line, over several lines.
            let why = match error.message {
                Pep508ErrorSource::String(text)
                | Pep508ErrorSource::UnsupportedRequirement(text) => text,
                Pep508ErrorSource::UrlError(error) => error.to_string(),
            };
            refuse(format!("{requirement:?} names no package: {}", one_line(&why)))
        })?;
        if matches!(parsed.version_or_url, Some(VersionOrUrl::Url(_))) {
            return Err(refuse(by_url(parsed.name.as_ref())));
        }
        let place = format!("line {line} of {file}");
        wanted.push(Wanted { requirement: parsed, hashes, place, file: file.to_owned() });
    }
    Ok(wanted)
}

/// Lines without comments, with those joined that end in a backslash, and the number of the first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = without_comment(line).trim_end();
        let (start, mut joined) = open.take().unwrap_or((at + 1, String::new()));
        if let Some(head) = line.strip_suffix('\\') {
            joined.push_str(head);
            joined.push(' ');
            open = Some((start, joined));
            continue;
        }
        joined.push_str(line);
        lines.push((start, joined));
    }
    lines.extend(open);
    lines.retain_mut(|(_, text)| {
        *text = text.trim().to_owned();
        !text.is_empty()
    });
    lines
}

/// A comment begins at the start or after a space.
fn without_comment(line: &str) -> &str {
    let starts = line.match_indices('#').map(|(at, _)| at);
    let mut starts = starts.filter(|at| *at == 0 || line[..*at].ends_with([' ', '\t']));
    starts.next().map_or(line, |at| &line[..at])
}

/// The requirement, and the options after it.
fn split_options(line: &str) -> (&str, &str) {
    if line.starts_with('-') {
        return ("", line);
    }
    match line.find(" --") {
        Some(at) => (line[..at].trim_end(), line[at..].trim_start()),
        None => (line, ""),
    }
}

fn hashes(options: &str) -> Result<Vec<Digest>, String> {
    let mut hashes = Vec::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--hash") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => return Err(refused_option(word)),
        };
        let value = value.unwrap_or_default();
        let digest = value.starts_with("sha256:").then(|| value.parse().ok()).flatten();
        hashes.push(digest.ok_or_else(|| {
            format!("{value:?} is no hash that can be checked: expected sha256: and 64 lower-case hex digits")
        })?);
    }
    Ok(hashes)
}

fn refused_option(option: &str) -> String {
    // What follows may be a URL with a password.
    let name = option.split(['=', ' ']).next().unwrap_or_default();
    let why = match name {
        "-r" | "--requirement" | "-c" | "--constraint" => {
            "write everything into one file: other files do not come along"
        }
        "-i" | "--index-url" | "--extra-index-url" | "-f" | "--find-links" | "--trusted-host"
        | "--no-index" => {
            "the index is a setting of the server, `flumen serve --python-index URL`; leave it out"
        }
        "-e" | "--editable" => {
            "give a package of your own as a dependency with role: python, as a wheel or a zip archive"
        }
        "--pre" => "name the version that is wanted with ==; leave it out",
        _ => "only packages, --hash and comments are taken; leave it out",
    };
    format!("{name} is not taken; {why}")
}

/// What to do about a line that names a file or a repository rather than a package.
fn elsewhere(requirement: &str) -> Option<String> {
    if requirement.contains("://") {
        // What stands before the address may be part of it, with a password.
        let name = requirement.split('@').next().unwrap_or_default().trim();
        let is_name = PackageName::new(name.to_owned()).is_ok();
        return Some(by_url(if is_name { name } else { "the package" }));
    }
    let is_path = requirement.starts_with(['.', '/', '~'])
        || [".whl", ".zip", ".gz", ".txt"].iter().any(|end| requirement.ends_with(end));
    is_path.then(|| {
        format!("{requirement:?} is a file; give it as a dependency with path: and role: python")
    })
}

fn by_url(name: &str) -> String {
    format!(
        "{name} is named by URL; give its wheel as a dependency with url: and role: python, or name a version in the index"
    )
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let wanted = parse("requirements.txt", text).expect("valid");
        wanted
            .iter()
            .map(|one| format!("{} #{} {}", one.requirement, one.hashes.len(), one.place))
            .collect()
    }

    fn problem(text: &str) -> String {
        parse("requirements.txt", text).expect_err("refused").to_string()
    }

    #[test]
    fn comments_joined_lines_markers_and_hashes_are_read() {
        let hash = "0".repeat(64);
        let text = format!(
            "\u{feff}# what we need\n\nNumpy >=1.20,<2 # old\nrequests[socks]==2.31.0 \\\n    --hash=sha256:{hash} \\\n    --hash sha256:{hash}\n\
             tomli; python_version < '3.11'\n--require-hashes\n"
        );
        assert_eq!(
            read(&text),
            [
                "numpy>=1.20,<2 #0 line 3 of requirements.txt",
                "requests[socks]==2.31.0 #2 line 4 of requirements.txt",
                "tomli ; python_full_version < '3.11' #0 line 7 of requirements.txt",
            ]
        );
        assert_eq!(read("\n  \n# nothing\n"), [""; 0]);
    }

    #[test]
    fn what_leads_elsewhere_is_refused_with_what_to_do() {
        for (line, words) in [
            ("-r other.txt", "one file"),
            ("--index-url https://user:secret@example.com/simple", "--python-index"),
            ("--extra-index-url=https://user:secret@example.com/", "--python-index"),
            ("-e .", "role: python"),
            ("./geo-1.0-py3-none-any.whl", "role: python"),
            ("geo @ https://user:secret@example.com/geo-1.0-py3-none-any.whl", "url:"),
            ("git+https://user:secret@example.com/geo.git", "url:"),
            ("numpy === ", "names no package"),
            ("numpy >=> 2", "names no package"),
            ("numpy==1.0 --hash=md5:abc", "sha256"),
            ("numpy==1.0 --global-option=x", "--global-option is not taken"),
            ("-z", "-z is not taken"),
        ] {
            let told = problem(&format!("pandas\n{line}\n"));
            assert!(told.starts_with("requirements.txt, line 2: "), "{told}");
            assert!(told.contains(words), "{line}: {told}");
            assert!(!told.contains("secret") && !told.contains('\n'), "{line}: {told}");
        }
    }
}
