//! All roles and bindings, kept so that a question costs as much as the asker has bindings, however many there are.

use std::{collections::HashMap, fmt, sync::Arc};

use serde_json::Value;

use super::{
    bindings::{Binding, RoleRef, Subject},
    rule::Rule,
};
use crate::{request::Attributes, security::User};

/// Whoever is in it may do everything, whatever the roles are, so that nobody can be locked out.
const MASTERS: &str = "system:masters";

/// The roles and bindings of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    /// By namespace; those of the cluster under the empty name.
    scopes: HashMap<String, Scope>,
}

#[derive(Debug, Default)]
struct Scope {
    roles: HashMap<String, Vec<Rule>>,
    bindings: HashMap<String, Arc<Binding>>,
    /// The bindings of each user, service accounts among them, and of each group, with the subject's place.
    users: HashMap<String, Vec<(Arc<Binding>, usize)>>,
    groups: HashMap<String, Vec<(Arc<Binding>, usize)>>,
}

/// A role that somebody has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'p> {
    binding: &'p Binding,
    subject: &'p Subject,
    /// What it allows; `None` where there is no such role.
    rules: Option<&'p [Rule]>,
}

/// Whether somebody may do something.
#[derive(Debug)]
pub(crate) enum Verdict<'p> {
    /// By what; no role is needed by those who may do everything.
    Allowed(Option<Grant<'p>>),
    /// With what is wrong with the roles of the one who asks.
    Denied(Vec<String>),
}

impl Policy {
    /// Takes a role in, or out; the namespace is empty for a role of the cluster.
    pub(crate) fn set_role(&mut self, namespace: &str, name: &str, role: Option<&Value>) {
        let scope = self.scopes.entry(namespace.to_owned()).or_default();
        match role {
            Some(role) => scope.roles.insert(name.to_owned(), Rule::of_role(role)),
            None => scope.roles.remove(name),
        };
        self.tidy(namespace);
    }

    /// Takes a binding in, or out.
    pub(crate) fn set_binding(&mut self, namespace: &str, name: &str, binding: Option<&Value>) {
        let scope = self.scopes.entry(namespace.to_owned()).or_default();
        if let Some(old) = scope.bindings.remove(name) {
            for subject in &old.subjects {
                scope.forget(subject, name);
            }
        }
        if let Some(binding) = binding {
            let binding = Arc::new(Binding::of(namespace, name, binding));
            scope.bindings.insert(name.to_owned(), Arc::clone(&binding));
            for (place, subject) in binding.subjects.iter().enumerate() {
                if let Some(of) = scope.of_subject(subject) {
                    of.push((Arc::clone(&binding), place));
                }
            }
        }
        self.tidy(namespace);
    }

    fn tidy(&mut self, namespace: &str) {
        let is_empty = |scope: &Scope| scope.roles.is_empty() && scope.bindings.is_empty();
        if self.scopes.get(namespace).is_some_and(is_empty) {
            self.scopes.remove(namespace);
        }
    }

    /// What a role allows; `None` if there is no such role.
    pub(crate) fn rules_of(&self, role: &RoleRef, namespace: &str) -> Option<&[Rule]> {
        let scope = self.scopes.get(role.scope(namespace))?;
        scope.roles.get(&role.name).map(Vec::as_slice)
    }

    /// The roles that a user has everywhere, and then those in a namespace, unless its name is empty.
    pub(crate) fn grants<'p>(
        &'p self,
        user: &'p User,
        namespace: &'p str,
    ) -> impl Iterator<Item = Grant<'p>> {
        let namespaces = [Some(""), Some(namespace).filter(|name| !name.is_empty())];
        let scopes = namespaces.into_iter().flatten().filter_map(move |name| self.scopes.get(name));
        scopes.flat_map(move |scope| scope.of_user(user)).map(move |(binding, subject)| Grant {
            binding,
            subject,
            rules: self.rules_of(&binding.role, &binding.namespace),
        })
    }

    /// All rules that count for a user in a namespace, and what is wrong with the user's roles.
    pub(crate) fn rules<'p>(
        &'p self,
        user: &'p User,
        namespace: &'p str,
    ) -> (Vec<&'p Rule>, Vec<String>) {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        for grant in self.grants(user, namespace) {
            match grant.rules {
                Some(own) => rules.extend(own),
                None => grant.add_problem(&mut problems),
            }
        }
        (rules, problems)
    }

    /// Whether a user may do something.
    pub(crate) fn judge<'p>(&'p self, user: &'p User, attributes: &'p Attributes) -> Verdict<'p> {
        if is_master(user) {
            return Verdict::Allowed(None);
        }
        let mut problems = Vec::new();
        for grant in self.grants(user, attributes.namespace()) {
            match grant.rules {
                Some(rules) if rules.iter().any(|rule| rule.allows(attributes)) => {
                    return Verdict::Allowed(Some(grant));
                }
                Some(_) => {}
                None => grant.add_problem(&mut problems),
            }
        }
        Verdict::Denied(problems)
    }
}

/// Whether a user may do everything.
pub(crate) fn is_master(user: &User) -> bool {
    user.groups.iter().any(|group| group == MASTERS)
}

impl Scope {
    fn of_subject(&mut self, subject: &Subject) -> Option<&mut Vec<(Arc<Binding>, usize)>> {
        match subject {
            Subject::User(name) | Subject::ServiceAccount { user: name, .. } => {
                Some(self.users.entry(name.clone()).or_default())
            }
            Subject::Group(name) => Some(self.groups.entry(name.clone()).or_default()),
            Subject::Nobody => None,
        }
    }

    fn forget(&mut self, subject: &Subject, binding: &str) {
        let (map, name) = match subject {
            Subject::User(name) | Subject::ServiceAccount { user: name, .. } => {
                (&mut self.users, name)
            }
            Subject::Group(name) => (&mut self.groups, name),
            Subject::Nobody => return,
        };
        if let Some(of) = map.get_mut(name) {
            of.retain(|(known, _)| known.name != binding);
            if of.is_empty() {
                map.remove(name);
            }
        }
    }

    /// The bindings of a user, each once, with the first of its subjects that is the user.
    fn of_user<'p>(&'p self, user: &'p User) -> impl Iterator<Item = (&'p Binding, &'p Subject)> {
        let by_group = user.groups.iter().filter_map(move |group| self.groups.get(group));
        self.users.get(&user.name).into_iter().chain(by_group).flatten().filter_map(
            move |(binding, place)| {
                let mut earlier = binding.subjects.iter().take(*place);
                let subject = binding.subjects.get(*place)?;
                (!earlier.any(|other| other.is(user))).then_some((&**binding, subject))
            },
        )
    }
}

impl Grant<'_> {
    fn add_problem(&self, problems: &mut Vec<String>) {
        let RoleRef { kind, name } = &self.binding.role;
        let kind = kind.to_lowercase();
        let problem = format!("{kind}.rbac.authorization.k8s.io {name:?} not found");
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// As the real server tells what allows something.
impl fmt::Display for Grant<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} to {}", self.binding, self.subject)
    }
}

impl Verdict<'_> {
    pub(crate) fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// Why, as far as there is something to say.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Allowed(None) => String::new(),
            Self::Allowed(Some(grant)) => format!("RBAC: allowed by {grant}"),
            Self::Denied(problems) => match problems.as_slice() {
                [] => String::new(),
                [one] => format!("RBAC: {one}"),
                many => format!("RBAC: [{}]", many.join(", ")),
            },
        }
    }
}

#[cfg(test)]
mod tests;
