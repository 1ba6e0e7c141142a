//! Names that clients choose. They become file names, so what these functions let through is all that can reach the disk.

/// Whether `name` is a repository name: parts of lower-case letters and digits with `.`, `_`, `__` or any number of `-` between them.
pub(crate) fn is_repository(name: &str) -> bool {
    name.len() <= 255 && name.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator =
        |run: &str| matches!(run, "" | "." | "_" | "__") || run.chars().all(|c| c == '-');
    component.starts_with(is_plain)
        && component.ends_with(is_plain)
        && component.split(is_plain).all(is_separator)
}

/// Whether `tag` is a tag.
pub(crate) fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&tag.len())
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_directory_are_none() {
        for good in ["a", "library/flink", "a/b__c/d--e.f/0_1", "a.b/c"] {
            assert!(is_repository(good), "{good}");
        }
        for bad in [
            "", "/", "a/", "/a", "..", "a/../b", "a//b", "A", "a/_tags", "a_", "a___b", "a b", "é",
            "a\0",
        ] {
            assert!(!is_repository(bad), "{bad}");
        }
        assert!(!is_repository(&"a".repeat(256)));
    }

    #[test]
    fn tags_that_would_be_paths_are_none() {
        for good in ["latest", "1.20.5", "_x", "V1-a"] {
            assert!(is_tag(good), "{good}");
        }
        for bad in ["", ".", "..", "-a", "a/b", "a:b", &"a".repeat(129)] {
            assert!(!is_tag(bad), "{bad}");
        }
    }
}
