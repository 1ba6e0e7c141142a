//! Users.

/// The name of whoever proves nothing.
pub(crate) const ANONYMOUS: &str = "system:anonymous";
/// Their group, and the one of all others.
pub(crate) const UNAUTHENTICATED: &str = "system:unauthenticated";
pub(crate) const AUTHENTICATED: &str = "system:authenticated";

/// Somebody who sends requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    /// Further facts, such as the pod that a token belongs to; a name may have several values.
    pub(crate) extra: Vec<(String, String)>,
}

impl User {
    pub(crate) fn new(name: &str, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut groups: Vec<String> = groups.into_iter().map(Into::into).collect();
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.into());
        }
        Self { name: name.to_owned(), uid: String::new(), groups, extra: Vec::new() }
    }

    /// Whoever proves nothing.
    pub(crate) fn anonymous() -> Self {
        let groups = vec![UNAUTHENTICATED.to_owned()];
        Self { name: ANONYMOUS.to_owned(), uid: String::new(), groups, extra: Vec::new() }
    }
}
