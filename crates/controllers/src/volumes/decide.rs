//! What is to be done about claims and volumes. Pure: the world in, actions out.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt as _};

use super::facts::{Claim, Owner, Volume, World};
use crate::facts::Key;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    /// The claim asked for no class in particular.
    SetClass {
        claim: Key,
        class: String,
    },
    /// Ask whoever makes volumes of the claim's class.
    Ask {
        claim: Key,
        provisioner: String,
    },
    Bind(Box<Binding>),
    /// Nothing uses the claim any more.
    FreeClaim(Key),
    /// Nobody has the volume any more.
    FreeVolume(String),
    SetPhase {
        volume: String,
        phase: &'static str,
    },
    /// The claim of the volume is gone, which is looked at once more before it is said.
    Release {
        volume: String,
        owner: Owner,
    },
}

/// A claim and the volume that it gets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Binding {
    pub(super) claim: Key,
    pub(super) uid: String,
    pub(super) volume: Volume,
}

pub(super) fn decide(world: &World) -> Vec<Action> {
    let used: BTreeSet<&Key> = world.users.values().flat_map(|user| &user.claims).collect();
    let mut taken = BTreeSet::new();
    let mut actions = Vec::new();
    for (uid, claim) in &world.claims {
        if claim.deleting {
            if claim.protected && !used.contains(&claim.key) {
                actions.push(Action::FreeClaim(claim.key.clone()));
            }
        } else if claim.phase != "Bound" {
            let candidate = Candidate { uid, claim, used: used.contains(&claim.key) };
            actions.extend(serve(world, &candidate, &mut taken));
        }
    }
    for volume in world.volumes.values() {
        actions.extend(keep(world, volume));
    }
    actions
}

/// A claim without a volume.
struct Candidate<'a> {
    uid: &'a str,
    claim: &'a Claim,
    /// A pod that has a node uses it.
    used: bool,
}

/// What brings a claim nearer to its volume.
fn serve<'a>(
    world: &'a World,
    candidate: &Candidate<'_>,
    taken: &mut BTreeSet<&'a str>,
) -> Option<Action> {
    let Candidate { uid, claim, used } = *candidate;
    // One that asked for no class in particular gets a volume without class if there is one, before it gets the default class.
    let class = claim.class.as_deref().unwrap_or_default();
    let known = world.classes.values().find(|known| known.name == class);
    let due = used || known.is_none_or(|known| known.at_once);
    let mut volumes: Vec<&Volume> = world
        .volumes
        .values()
        .filter(|volume| !volume.deleting && fits(volume, uid, claim, class))
        // Until a pod uses it, it gets only what one of both names already.
        .filter(|volume| due || volume.owner.is_some() || !claim.volume.is_empty())
        .filter(|volume| !taken.contains(volume.name.as_str()))
        .collect();
    // One that was made for it, then the smallest.
    volumes.sort_by_key(|volume| (volume.owner.is_none(), volume.capacity, &volume.name));
    if let Some(volume) = volumes.first() {
        taken.insert(&volume.name);
        let binding =
            Binding { claim: claim.key.clone(), uid: uid.to_owned(), volume: (*volume).clone() };
        return Some(Action::Bind(Box::new(binding)));
    }
    if claim.class.is_none() && claim.volume.is_empty() {
        let default = world.classes.values().find(|class| class.is_default)?;
        return Some(Action::SetClass { claim: claim.key.clone(), class: default.name.clone() });
    }
    let class = known.filter(|_| due)?;
    let wanted = claim.volume.is_empty() && claim.asked.as_ref() != Some(&class.provisioner);
    let provisioner = class.provisioner.clone();
    wanted.then(|| Action::Ask { claim: claim.key.clone(), provisioner })
}

fn fits(volume: &Volume, uid: &str, claim: &Claim, class: &str) -> bool {
    let room =
        claim.request.is_none_or(|request| volume.capacity.is_some_and(|room| room >= request));
    let can_serve = room
        && volume.form == claim.form
        && claim.modes.iter().all(|mode| volume.modes.contains(mode));
    let named = claim.volume == volume.name;
    let own = volume
        .owner
        .as_ref()
        .map(|owner| owner.key == claim.key && (owner.uid == uid || owner.uid.is_empty()));
    // Like the real controller: a claim that names its volume selects no other way, and a volume that names its claim may
    // have another class and other labels.
    can_serve
        && own != Some(false)
        && (named || claim.volume.is_empty())
        && (volume.class == class || (own.is_some() && !named))
        && (named || own.is_some() || selects(claim.selector.as_ref(), &volume.labels))
}

/// A selector that cannot be read selects nothing.
fn selects(selector: Option<&LabelSelector>, labels: &BTreeMap<String, String>) -> bool {
    let Some(selector) = selector else { return true };
    Selector::try_from(selector.clone()).is_ok_and(|selector| selector.matches(labels))
}

fn keep(world: &World, volume: &Volume) -> Option<Action> {
    if volume.deleting && volume.protected && volume.phase != "Bound" {
        return Some(Action::FreeVolume(volume.name.clone()));
    }
    let phase = match &volume.owner {
        None => "Available",
        // It is kept for a claim that has not got it yet.
        Some(owner) if owner.uid.is_empty() => "Available",
        Some(owner) => match world.claims.get(&owner.uid) {
            Some(claim) if claim.volume == volume.name => "Bound",
            // It is about to be bound.
            Some(_) => return None,
            None if volume.phase == "Released" => return None,
            None => {
                let owner = owner.clone();
                return Some(Action::Release { volume: volume.name.clone(), owner });
            }
        },
    };
    (volume.phase != phase).then(|| Action::SetPhase { volume: volume.name.clone(), phase })
}

#[cfg(test)]
mod tests;
