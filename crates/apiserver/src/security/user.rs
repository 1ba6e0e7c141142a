//! Users.

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    /// Further facts, such as the pod that a token belongs to.
    pub(crate) extra: Vec<(String, String)>,
}

impl User {
    pub(crate) fn new(name: &str, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut groups: Vec<String> = groups.into_iter().map(Into::into).collect();
        if !groups.iter().any(|group| group == "system:authenticated") {
            groups.push("system:authenticated".into());
        }
        Self { name: name.to_owned(), uid: String::new(), groups, extra: Vec::new() }
    }
}
