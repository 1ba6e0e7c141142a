//! Whether the claims of a pod let it have a node.

use crate::facts::{Facts, Key};
use crate::kinds::Kind;
use crate::world::World;

/// Why no node will do, in the scheduler's words. A claim that waits for a pod gets its volume after the pod has a node.
pub(super) fn obstacle(world: &World, namespace: &str, claims: &[String]) -> Option<String> {
    let mut unbound = false;
    for name in claims {
        let Some(claim) = world.named(Kind::Claim, &Key::new(namespace, name.as_str())) else {
            return Some(format!("persistentvolumeclaim {name:?} not found"));
        };
        if claim.deleting {
            return Some(format!("persistentvolumeclaim {name:?} is being deleted"));
        }
        if let Facts::Claim { bound: false, class } = &claim.facts {
            unbound |= !waits_for_pod(world, class.as_deref());
        }
    }
    unbound.then(|| "pod has unbound immediate PersistentVolumeClaims".to_owned())
}

fn waits_for_pod(world: &World, class: Option<&str>) -> bool {
    let class = class.and_then(|class| world.named(Kind::StorageClass, &Key::new("", class)));
    class.is_some_and(|class| matches!(class.facts, Facts::StorageClass { waits_for_pod: true }))
}
