//! Whether the quotas of a namespace have room for a job.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

/// A `ResourceQuota` as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quota {
    /// Its name.
    pub name: String,
    /// Whether it counts for some pods only, for example of one priority class.
    pub scoped: bool,
    /// What may be used.
    pub hard: BTreeMap<String, String>,
    /// What is used.
    pub used: BTreeMap<String, String>,
}

/// What is left of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The quota.
    pub quota: String,
    /// The resource, for example `limits.memory`.
    pub resource: String,
    /// How much is left, as Kubernetes writes it.
    pub left: String,
    /// Whether the smallest job does not fit in.
    pub blocks: bool,
}

/// `left 2 of pods (quota compute)`.
impl fmt::Display for Left {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} of {} (quota {})", self.left, self.resource, self.quota)
    }
}

/// What a job has at least: one JobManager, one TaskManager, its Services and ConfigMaps. Cores and memory are another
/// matter of each job: there must be some.
fn least(resource: &str) -> Option<i128> {
    Some(match resource {
        "pods" | "count/pods" | "services" | "count/services" => 2_000,
        "count/deployments.apps" | "count/replicasets.apps" => 1_000,
        "configmaps" | "count/configmaps" => 3_000,
        "requests.cpu" | "cpu" | "limits.cpu" | "requests.memory" | "memory" | "limits.memory" => 1,
        _ => return None,
    })
}

/// What is left of everything that a job needs. Quotas for some pods only are passed over: whether they count depends on
/// the job.
pub fn left(quotas: &[Quota]) -> Vec<Left> {
    let mut all = Vec::new();
    for quota in quotas.iter().filter(|quota| !quota.scoped) {
        for (resource, hard) in &quota.hard {
            let Some(least) = least(resource) else { continue };
            let used = quota.used.get(resource).map_or("0", String::as_str);
            let (Some(hard), Some(used)) = (thousandths(hard), thousandths(used)) else { continue };
            let left = hard.saturating_sub(used);
            all.push(Left {
                quota: quota.name.clone(),
                resource: resource.clone(),
                left: show(resource, left.max(0)),
                blocks: left.cmp(&least) == Ordering::Less,
            });
        }
    }
    all
}

/// A quantity in thousandths: `500m`, `4Gi`, `1e3`.
fn thousandths(text: &str) -> Option<i128> {
    let text = text.trim();
    let end = text
        .find(|one: char| !(one.is_ascii_digit() || matches!(one, '.' | '+' | '-')))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: i128 = match unit {
        "" => 1_000,
        "m" => 1,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "P" => 1_000_000_000_000_000_000,
        "Ki" => 1_000 << 10,
        "Mi" => 1_000 << 20,
        "Gi" => 1_000 << 30,
        "Ti" => 1_000 << 40,
        "Pi" => 1_000 << 50,
        exponent => {
            let power: u32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            10_i128.checked_pow(power)?.checked_mul(1_000)?
        }
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let negative = whole.starts_with('-');
    let whole: i128 = if matches!(whole, "" | "-" | "+") { 0 } else { whole.parse().ok()? };
    let digits = i32::try_from(fraction.len()).ok()?;
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let part = part.checked_mul(factor)? / 10_i128.checked_pow(u32::try_from(digits).ok()?)?;
    let whole = whole.checked_mul(factor)?;
    if negative { whole.checked_sub(part) } else { whole.checked_add(part) }
}

fn show(resource: &str, thousandths: i128) -> String {
    if resource.ends_with("memory") {
        let mebibytes = thousandths / 1_000 / (1 << 20);
        return if mebibytes == 0 {
            format!("{} bytes", thousandths / 1_000)
        } else {
            format!("{mebibytes}Mi")
        };
    }
    if thousandths % 1_000 == 0 {
        (thousandths / 1_000).to_string()
    } else {
        format!("{thousandths}m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(pairs: &[(&str, &str, &str)]) -> Quota {
        Quota {
            name: "q".to_owned(),
            scoped: false,
            hard: pairs.iter().map(|(key, hard, _)| (key.to_string(), hard.to_string())).collect(),
            used: pairs.iter().map(|(key, _, used)| (key.to_string(), used.to_string())).collect(),
        }
    }

    fn told(quota: &Quota) -> Vec<(String, bool)> {
        left(std::slice::from_ref(quota)).iter().map(|one| (one.to_string(), one.blocks)).collect()
    }

    #[test]
    fn a_quota_blocks_where_the_smallest_job_has_no_room() {
        let quota = quota(&[
            ("pods", "10", "9"),
            ("services", "5", "3"),
            ("limits.memory", "4Gi", "4096Mi"),
            ("requests.memory", "8Gi", "1.5Gi"),
            ("requests.cpu", "2", "500m"),
            ("secrets", "1", "1"),
        ]);
        assert_eq!(
            told(&quota),
            [
                ("0 bytes of limits.memory (quota q)".to_owned(), true),
                ("1 of pods (quota q)".to_owned(), true),
                ("1500m of requests.cpu (quota q)".to_owned(), false),
                ("6656Mi of requests.memory (quota q)".to_owned(), false),
                ("2 of services (quota q)".to_owned(), false),
            ]
        );
        assert_eq!(told(&Quota { scoped: true, ..quota }), []);
    }

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, value) in [
            ("1", 1_000),
            ("1.5", 1_500),
            ("0.1", 100),
            ("250m", 250),
            ("2k", 2_000_000),
            ("1Ki", 1_024_000),
            ("1e3", 1_000_000),
            ("-1", -1_000),
        ] {
            assert_eq!(thousandths(text), Some(value), "{text}");
        }
        for bad in ["", "x", "1X", "1e", "..", "1e99"] {
            let value = thousandths(bad);
            assert!(value.is_none() || value == Some(0), "{bad} {value:?}");
        }
    }
}
