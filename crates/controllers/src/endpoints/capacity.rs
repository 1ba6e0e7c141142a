//! How many addresses `Endpoints` hold: as the real controller, a thousand, and an annotation tells that there are more.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EndpointAddress, EndpointSubset};

/// The annotation.
pub(crate) const ANNOTATION: &str = "endpoints.kubernetes.io/over-capacity";
const TRUNCATED: &str = "truncated";
const MOST: usize = 1000;

/// Leaves as many addresses as there may be, the ready ones first and each subset its share. Answers whether there were more.
pub(super) fn truncate(subsets: &mut Vec<EndpointSubset>) -> bool {
    let count = |part: fn(&EndpointSubset) -> &Option<Vec<EndpointAddress>>| -> usize {
        subsets.iter().filter_map(|subset| Some(part(subset).as_ref()?.len())).sum()
    };
    let ready = count(|subset| &subset.addresses);
    let not_ready = count(|subset| &subset.not_ready_addresses);
    if ready + not_ready <= MOST {
        return false;
    }
    if ready > MOST {
        share(subsets, ready, MOST, |subset| &mut subset.addresses);
        for subset in subsets.iter_mut() {
            subset.not_ready_addresses = None;
        }
    } else {
        share(subsets, not_ready, MOST - ready, |subset| &mut subset.not_ready_addresses);
    }
    // The API server refuses a subset without any address.
    subsets.retain(|subset| subset.addresses.is_some() || subset.not_ready_addresses.is_some());
    true
}

/// Shares are rounded up, so the last subsets may get less.
fn share(
    subsets: &mut [EndpointSubset],
    total: usize,
    most: usize,
    part: fn(&mut EndpointSubset) -> &mut Option<Vec<EndpointAddress>>,
) {
    let mut left = most;
    for subset in subsets {
        let list = part(subset);
        let Some(addresses) = list else { continue };
        addresses.truncate((addresses.len() * most).div_ceil(total).min(left));
        left -= addresses.len();
        if addresses.is_empty() {
            *list = None;
        }
    }
}

/// Sets the annotation, or takes it away.
pub(super) fn annotate(annotations: &mut Option<BTreeMap<String, String>>, truncated: bool) {
    if truncated {
        let known = annotations.get_or_insert_default();
        known.insert(ANNOTATION.to_owned(), TRUNCATED.to_owned());
    } else if let Some(known) = annotations {
        known.remove(ANNOTATION);
        if known.is_empty() {
            *annotations = None;
        }
    }
}

/// Whether the annotation is there.
pub(super) fn is_truncated(annotations: Option<&BTreeMap<String, String>>) -> bool {
    annotations.is_some_and(|known| known.contains_key(ANNOTATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(count: usize) -> Option<Vec<EndpointAddress>> {
        let address =
            |number: usize| EndpointAddress { ip: number.to_string(), ..Default::default() };
        Some((0..count).map(address).collect::<Vec<_>>()).filter(|list| !list.is_empty())
    }

    /// How many ready and other addresses are left of each subset; `None` if nothing was taken.
    fn left(given: &[(usize, usize)]) -> Option<Vec<(usize, usize)>> {
        let subset = |(ready, not_ready): &(usize, usize)| EndpointSubset {
            addresses: addresses(*ready),
            not_ready_addresses: addresses(*not_ready),
            ports: None,
        };
        let mut subsets: Vec<EndpointSubset> = given.iter().map(subset).collect();
        let count = |list: &Option<Vec<EndpointAddress>>| list.as_ref().map_or(0, Vec::len);
        truncate(&mut subsets).then(|| {
            let counts = |subset: &EndpointSubset| {
                (count(&subset.addresses), count(&subset.not_ready_addresses))
            };
            subsets.iter().map(counts).collect()
        })
    }

    #[test]
    fn the_ready_ones_stay_and_each_subset_has_its_share() {
        for (given, expected) in [
            (&[(1000, 0)][..], None),
            (&[(400, 100), (400, 100)], None),
            (&[(1001, 5)], Some(&[(1000, 0)][..])),
            (&[(400, 400), (500, 100)], Some(&[(400, 80), (500, 20)])),
            (&[(1500, 7), (500, 7)], Some(&[(750, 0), (250, 0)])),
            (&[(1000, 1), (0, 9)], Some(&[(1000, 0)])),
            (&[(1, 0), (1, 0), (2000, 0)], Some(&[(1, 0), (1, 0), (998, 0)])),
            (&[(2001, 0), (1, 0)], Some(&[(1000, 0)])),
        ] {
            assert_eq!(left(given).as_deref(), expected, "{given:?}");
        }
    }
}
