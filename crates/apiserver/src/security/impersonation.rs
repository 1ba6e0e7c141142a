//! Acting as another user, as the headers of a request ask for it (`kubectl --as`), if the asker may.

use http::{HeaderMap, HeaderName};

use super::{
    User, authorization,
    user::{ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED},
};
use crate::{
    api::Api,
    failure::Failure,
    request::{Attributes, Resource, Wanted, decode},
};

static USER: HeaderName = HeaderName::from_static("impersonate-user");
static GROUP: HeaderName = HeaderName::from_static("impersonate-group");
static UID: HeaderName = HeaderName::from_static("impersonate-uid");
const PREFIX: &str = "impersonate-";
const EXTRA: &str = "impersonate-extra-";
const FACTS: &str = "authentication.k8s.io";

/// The user that a request acts as: the one who sends it, or the one it names. From here on it names nobody, as it may
/// be passed on.
///
/// # Errors
/// If the sender may not act as that user, or if no user is named for the groups that are.
pub(crate) fn apply(api: &Api, sender: User, headers: &mut HeaderMap) -> Result<User, Failure> {
    let Some(wanted) = wanted(headers)? else { return Ok(sender) };
    for resource in resources(&wanted) {
        let attributes =
            Attributes { verb: "impersonate".to_owned(), wanted: Wanted::Resource(resource) };
        authorization::check(api, &sender, &attributes)?;
    }
    let is_ours = |name: &&HeaderName| name.as_str().starts_with(PREFIX);
    let names: Vec<HeaderName> = headers.keys().filter(is_ours).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    Ok(completed(wanted))
}

/// The user in the headers, as far as they say.
fn wanted(headers: &HeaderMap) -> Result<Option<User>, Failure> {
    let texts = |name: &HeaderName| -> Vec<String> {
        let values = headers.get_all(name).iter();
        // A name that is no ASCII is a name all the same.
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    };
    let first = |name: &HeaderName| texts(name).into_iter().next().unwrap_or_default();
    let mut extra = Vec::new();
    for name in headers.keys() {
        if let Some(key) = name.as_str().strip_prefix(EXTRA) {
            extra.extend(texts(name).into_iter().map(|value| (decode(key), value)));
        }
    }
    let user = User { name: first(&USER), uid: first(&UID), groups: texts(&GROUP), extra };
    if !user.name.is_empty() {
        return Ok(Some(user));
    }
    if user.uid.is_empty() && user.groups.is_empty() && user.extra.is_empty() {
        return Ok(None);
    }
    Err(Failure::without_user())
}

/// The account that a user's long name means.
fn account(name: &str) -> Option<(&str, &str)> {
    let (namespace, name) = name.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}

/// Everything of a user that one must be allowed to take on.
fn resources(user: &User) -> Vec<Resource> {
    let resource = |group: &str, plural: &str, name: &str| Resource {
        group: group.to_owned(),
        plural: plural.to_owned(),
        name: name.to_owned(),
        ..Resource::default()
    };
    let mut resources = vec![match account(&user.name) {
        Some((namespace, name)) => {
            Resource { namespace: namespace.to_owned(), ..resource("", "serviceaccounts", name) }
        }
        None => resource("", "users", &user.name),
    }];
    resources.extend(user.groups.iter().map(|group| resource("", "groups", group)));
    resources.extend(user.extra.iter().map(|(key, value)| Resource {
        subresource: key.clone(),
        ..resource(FACTS, "userextras", value)
    }));
    if !user.uid.is_empty() {
        resources.push(resource(FACTS, "uids", &user.uid));
    }
    resources
}

/// The user with the groups that everybody of its sort is in.
fn completed(mut user: User) -> User {
    if let Some((namespace, _)) = account(&user.name)
        && user.groups.is_empty()
    {
        user.groups.push("system:serviceaccounts".to_owned());
        user.groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    let has = |group: &str| user.groups.iter().any(|own| own == group);
    let group = if user.name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED };
    if !has(group) && !has(UNAUTHENTICATED) {
        user.groups.push(group.to_owned());
    }
    user
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{completed, resources, wanted};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn an_account_named_as_a_user_has_the_groups_of_accounts() {
        let user = wanted(&headers(&[("impersonate-user", "system:serviceaccount:a:b")]));
        let user = user.unwrap().unwrap();
        let asked = resources(&user);
        assert_eq!(
            (asked[0].plural.as_str(), asked[0].namespace.as_str()),
            ("serviceaccounts", "a")
        );
        let groups = ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"];
        assert_eq!(completed(user).groups, groups);
    }

    #[test]
    fn everything_that_is_taken_on_is_asked_for() {
        let pairs = [
            ("impersonate-user", "ann"),
            ("impersonate-group", "g"),
            ("impersonate-group", "h"),
            ("impersonate-extra-a%2fb", "x"),
            ("impersonate-uid", "1"),
        ];
        let user = wanted(&headers(&pairs)).unwrap().unwrap();
        let asked: Vec<String> = resources(&user)
            .iter()
            .map(|it| format!("{}/{}/{}", it.plural, it.subresource, it.name))
            .collect();
        assert_eq!(asked, ["users//ann", "groups//g", "groups//h", "userextras/a/b/x", "uids//1"]);
        assert_eq!(completed(user).groups, ["g", "h", "system:authenticated"]);
    }

    #[test]
    fn groups_belong_to_a_user() {
        assert!(wanted(&headers(&[])).unwrap().is_none());
        assert!(wanted(&headers(&[("impersonate-group", "g")])).is_err());
    }
}
