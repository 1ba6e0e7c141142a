//! What is to be done about claims and volumes. Pure: the world in, actions out.

use std::collections::BTreeSet;

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
            actions.extend(serve(world, uid, claim, &mut taken));
        }
    }
    for volume in world.volumes.values() {
        actions.extend(keep(world, volume));
    }
    actions
}

/// What brings a claim nearer to its volume.
fn serve<'a>(
    world: &'a World,
    uid: &str,
    claim: &Claim,
    taken: &mut BTreeSet<&'a str>,
) -> Option<Action> {
    let Some(class) = &claim.class else {
        let default = world.classes.values().find(|class| class.is_default);
        let set =
            |class: &str| Action::SetClass { claim: claim.key.clone(), class: class.to_owned() };
        return default.map(|class| set(&class.name));
    };
    let mut volumes: Vec<&Volume> = world
        .volumes
        .values()
        .filter(|volume| !volume.deleting && fits(volume, uid, claim, class))
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
    let class = world.classes.values().find(|known| known.name == *class && known.at_once)?;
    let wanted = claim.volume.is_empty() && claim.asked.as_ref() != Some(&class.provisioner);
    let provisioner = class.provisioner.clone();
    wanted.then(|| Action::Ask { claim: claim.key.clone(), provisioner })
}

fn fits(volume: &Volume, uid: &str, claim: &Claim, class: &str) -> bool {
    if let Some(owner) = &volume.owner {
        return owner.key == claim.key && (owner.uid == uid || owner.uid.is_empty());
    }
    let room =
        claim.request.is_none_or(|request| volume.capacity.is_some_and(|room| room >= request));
    let named = claim.volume.is_empty() || claim.volume == volume.name;
    named
        && volume.class == class
        && room
        && claim.modes.iter().all(|mode| volume.modes.contains(mode))
}

fn keep(world: &World, volume: &Volume) -> Option<Action> {
    if volume.deleting && volume.protected && volume.phase != "Bound" {
        return Some(Action::FreeVolume(volume.name.clone()));
    }
    let phase = match &volume.owner {
        None => "Available",
        Some(owner) if owner.uid.is_empty() => return None,
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
