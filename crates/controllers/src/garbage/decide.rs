//! What becomes of an object whose owners are gone or going, and of an owner that is being deleted with its dependents.

use crate::facts::{FOREGROUND, ORPHAN, Uid};

/// What is known of one owner of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnerView {
    pub(crate) uid: Uid,
    pub(crate) state: OwnerState,
    /// The object blocks the owner's foreground deletion.
    pub(crate) blocking: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnerState {
    /// It exists, or nobody can know (a kind that the API server does not have).
    There,
    /// Nothing of this uid exists, or ever did.
    Absent,
    /// It is being deleted and waits for its dependents.
    Waiting,
    /// It is being deleted and leaves its dependents.
    Leaving,
}

/// A dependent of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DependentView {
    pub(crate) uid: Uid,
    pub(crate) deleting: bool,
    /// It blocks the foreground deletion of the object.
    pub(crate) blocking: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) deleting: bool,
    pub(crate) foreground: bool,
    pub(crate) orphan: bool,
    pub(crate) owners: Vec<OwnerView>,
    pub(crate) dependents: Vec<DependentView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Background,
    Foreground,
    Orphan,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Deletes the object.
    Delete(Policy),
    /// Takes these owners out of the object.
    DropOwners(Vec<Uid>),
    /// Takes the object out of the owners of these dependents.
    Orphan(Vec<Uid>),
    /// Stops blocking the deletion of its owners: two objects that wait for each other would wait for ever.
    Unblock,
    RemoveFinalizer(&'static str),
}

/// What to do about one object.
pub(crate) fn decide(view: &View) -> Vec<Action> {
    if view.deleting {
        return ending(view);
    }
    let of = |state: OwnerState| view.owners.iter().filter(move |owner| owner.state == state);
    if view.owners.is_empty() || of(OwnerState::Leaving).next().is_some() {
        // An owner that leaves its dependents takes itself out of them.
        return Vec::new();
    }
    let over: Vec<Uid> = of(OwnerState::Absent)
        .chain(of(OwnerState::Waiting))
        .map(|owner| Uid::clone(&owner.uid))
        .collect();
    if of(OwnerState::There).next().is_some() {
        return if over.is_empty() { Vec::new() } else { vec![Action::DropOwners(over)] };
    }
    let waited_for = of(OwnerState::Waiting).next().is_some();
    if waited_for && !view.dependents.is_empty() {
        let circle =
            view.dependents.iter().any(|dependent| dependent.deleting && dependent.blocking);
        let blocking = view.owners.iter().any(|owner| owner.blocking);
        let mut actions = vec![Action::Delete(Policy::Foreground)];
        if circle && blocking {
            actions.insert(0, Action::Unblock);
        }
        return actions;
    }
    vec![Action::Delete(match (view.orphan, view.foreground) {
        (true, _) => Policy::Orphan,
        (false, true) => Policy::Foreground,
        (false, false) => Policy::Background,
    })]
}

fn ending(view: &View) -> Vec<Action> {
    if view.orphan {
        let dependents: Vec<Uid> =
            view.dependents.iter().map(|dependent| Uid::clone(&dependent.uid)).collect();
        let mut actions = vec![Action::RemoveFinalizer(ORPHAN)];
        if !dependents.is_empty() {
            actions.insert(0, Action::Orphan(dependents));
        }
        return actions;
    }
    if view.foreground && !view.dependents.iter().any(|dependent| dependent.blocking) {
        return vec![Action::RemoveFinalizer(FOREGROUND)];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(owners: &[OwnerState]) -> View {
        let owners = owners
            .iter()
            .enumerate()
            .map(|(number, state)| OwnerView {
                uid: number.to_string().into(),
                state: *state,
                blocking: true,
            })
            .collect();
        View { deleting: false, foreground: false, orphan: false, owners, dependents: Vec::new() }
    }

    fn dependent(blocking: bool, deleting: bool) -> DependentView {
        DependentView { uid: "d".into(), deleting, blocking }
    }

    #[test]
    fn an_object_goes_with_its_last_owner_and_not_before() {
        use OwnerState::{Absent, Leaving, There, Waiting};
        let delete = |policy| vec![Action::Delete(policy)];
        let drop = |uids: &[&str]| {
            vec![Action::DropOwners(uids.iter().map(|uid| Uid::from(*uid)).collect())]
        };
        for (owners, expected) in [
            (vec![], vec![]),
            (vec![There], vec![]),
            (vec![Absent], delete(Policy::Background)),
            (vec![Absent, Absent], delete(Policy::Background)),
            (vec![Absent, There], drop(&["0"])),
            (vec![Waiting, There], drop(&["0"])),
            (vec![Waiting], delete(Policy::Background)),
            (vec![Leaving], vec![]),
            (vec![Absent, Leaving], vec![]),
        ] {
            assert_eq!(decide(&view(&owners)), expected, "{owners:?}");
        }
    }

    #[test]
    fn what_a_foreground_deletion_reaches_waits_for_its_own_dependents() {
        let with =
            View { dependents: vec![dependent(true, false)], ..view(&[OwnerState::Waiting]) };
        assert_eq!(decide(&with), [Action::Delete(Policy::Foreground)]);
        let circle =
            View { dependents: vec![dependent(true, true)], ..view(&[OwnerState::Waiting]) };
        assert_eq!(decide(&circle), [Action::Unblock, Action::Delete(Policy::Foreground)]);
    }

    #[test]
    fn a_foreground_deletion_ends_when_nothing_blocks_it() {
        let ending = View { deleting: true, foreground: true, ..view(&[]) };
        assert_eq!(decide(&ending), [Action::RemoveFinalizer(FOREGROUND)]);
        assert_eq!(
            decide(&View { dependents: vec![dependent(false, false)], ..ending.clone() }),
            [Action::RemoveFinalizer(FOREGROUND)]
        );
        assert_eq!(
            decide(&View {
                dependents: vec![dependent(false, false), dependent(true, true)],
                ..ending
            }),
            []
        );
    }

    #[test]
    fn an_orphaning_deletion_frees_the_dependents_first() {
        let leaving = View {
            deleting: true,
            orphan: true,
            dependents: vec![dependent(true, false)],
            ..view(&[])
        };
        assert_eq!(
            decide(&leaving),
            [Action::Orphan(vec!["d".into()]), Action::RemoveFinalizer(ORPHAN)]
        );
    }

    #[test]
    fn an_object_that_is_being_deleted_without_either_finalizer_is_left_alone() {
        assert_eq!(decide(&View { deleting: true, ..view(&[OwnerState::Absent]) }), []);
    }
}
