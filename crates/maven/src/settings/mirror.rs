use url::Url;

/// A mirror of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mirror {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) stands_for: String,
    pub(super) blocked: bool,
}

/// The mirror that stands in for a repository: one that names it, else the first whose pattern fits.
pub(super) fn choose<'a>(mirrors: &'a [Mirror], id: &str, url: &Url) -> Option<&'a Mirror> {
    mirrors
        .iter()
        .find(|mirror| mirror.stands_for == id)
        .or_else(|| mirrors.iter().find(|mirror| fits(&mirror.stands_for, id, url)))
}

fn fits(pattern: &str, id: &str, url: &Url) -> bool {
    let is_external = !is_on_this_machine(url);
    let mut result = false;
    for part in pattern.split(',').map(str::trim) {
        match part {
            "*" => result = true,
            "external:*" => result |= is_external,
            "external:http:*" => result |= is_external && url.scheme() == "http",
            _ if part == id => return true,
            _ if part.strip_prefix('!') == Some(id) => return false,
            _ => {}
        }
    }
    result
}

fn is_on_this_machine(url: &Url) -> bool {
    url.scheme() == "file"
        || url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_mavens_do() {
        for (pattern, id, url, expected) in [
            ("*", "a", "https://x/", true),
            ("*,!a", "a", "https://x/", false),
            ("!a,*", "a", "https://x/", false),
            ("*,!a", "b", "https://x/", true),
            ("a, b", "b", "https://x/", true),
            ("external:*", "a", "http://localhost:1/", false),
            ("external:*", "a", "https://x/", true),
            ("external:http:*", "a", "https://x/", false),
            ("external:http:*", "a", "http://x/", true),
            ("external:*,!a", "a", "https://x/", false),
            ("central", "a", "https://x/", false),
        ] {
            let url = Url::parse(url).expect("an address");
            assert_eq!(fits(pattern, id, &url), expected, "{pattern} for {id} at {url}");
        }
    }

    #[test]
    fn a_mirror_that_names_the_repository_goes_before_patterns() {
        let mirror = |id: &str, stands_for: &str| Mirror {
            id: id.to_owned(),
            url: String::new(),
            stands_for: stands_for.to_owned(),
            blocked: false,
        };
        let mirrors = [mirror("all", "*"), mirror("own", "central")];
        let url = Url::parse("https://x/").expect("an address");
        assert_eq!(choose(&mirrors, "central", &url).expect("one").id, "own");
        assert_eq!(choose(&mirrors, "other", &url).expect("one").id, "all");
    }
}
