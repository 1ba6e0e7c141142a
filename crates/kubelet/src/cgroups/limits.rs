//! Which files of a control group say what. Pure.

use std::path::Path;

use k8s_openapi::api::core::v1::Container;

use crate::environment::parse_thousandths;

/// What a container may use at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Limits {
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) cpu_millis: Option<u64>,
}

/// Of each of these periods, in microseconds, a container gets its part.
const PERIOD: u64 = 100_000;
/// The kernel takes no smaller part.
const LEAST_QUOTA: u64 = 1_000;
const SWAP: &str = "memory.memsw.limit_in_bytes";

type Files = Vec<(&'static str, String)>;

impl Limits {
    /// `None` for a container without any.
    pub(crate) fn of(container: &Container) -> Option<Self> {
        let limits = container.resources.as_ref()?.limits.as_ref()?;
        // Nothing is as good as no limit.
        let thousandths =
            |name: &str| limits.get(name).and_then(parse_thousandths).filter(|amount| *amount > 0);
        let found = Self {
            memory_bytes: thousandths("memory")
                .and_then(|amount| u64::try_from(amount / 1000).ok()),
            cpu_millis: thousandths("cpu").and_then(|amount| u64::try_from(amount).ok()),
        };
        (found != Self::default()).then_some(found)
    }

    fn quota(self) -> Option<u64> {
        self.cpu_millis.map(|millis| (millis.saturating_mul(PERIOD) / 1000).max(LEAST_QUOTA))
    }

    /// Memory in the first version.
    pub(super) fn memory_first(self) -> Files {
        let Some(bytes) = self.memory_bytes else { return Vec::new() };
        vec![("memory.limit_in_bytes", bytes.to_string()), (SWAP, bytes.to_string())]
    }

    /// Processors in the first version.
    pub(super) fn cpu_first(self) -> Files {
        let Some(quota) = self.quota() else { return Vec::new() };
        vec![("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())]
    }

    /// Both in the second version. There all processes of a container that has too much memory end, as with the real kubelet.
    pub(super) fn second(self) -> Files {
        let mut files = Vec::new();
        if let Some(bytes) = self.memory_bytes {
            files.push(("memory.max", bytes.to_string()));
            files.push(("memory.swap.max", "0".to_owned()));
            files.push(("memory.oom.group", "1".to_owned()));
        }
        files.extend(self.quota().map(|quota| ("cpu.max", format!("{quota} {PERIOD}"))));
        files
    }
}

/// Whether a kernel may lack the file.
pub(super) fn is_optional(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name == SWAP || name == "memory.swap.max"
}

/// How many processes were killed, as `memory.oom_control` or `memory.events` counts.
pub(super) fn kills(text: &str) -> u64 {
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limits(limits: &serde_json::Value) -> Option<Limits> {
        Limits::of(
            &serde_json::from_value(json!({"name": "c", "resources": {"limits": limits}})).unwrap(),
        )
    }

    #[test]
    fn what_a_container_may_use_stands_in_files() {
        let both = limits(&json!({"memory": "64Mi", "cpu": "1500m"})).unwrap();
        let text = |files: Files| {
            files.into_iter().map(|(file, text)| format!("{file}={text}")).collect::<Vec<_>>()
        };
        assert_eq!(
            text(both.memory_first()),
            ["memory.limit_in_bytes=67108864", "memory.memsw.limit_in_bytes=67108864"]
        );
        assert_eq!(text(both.cpu_first()), ["cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000"]);
        assert_eq!(
            text(both.second()),
            [
                "memory.max=67108864",
                "memory.swap.max=0",
                "memory.oom.group=1",
                "cpu.max=150000 100000"
            ]
        );
        let little = limits(&json!({"cpu": "1m"})).unwrap();
        assert_eq!(
            (text(little.memory_first()), text(little.second())),
            (vec![], vec!["cpu.max=1000 100000".to_owned()])
        );
        assert_eq!(limits(&json!({"ephemeral-storage": "1Gi"})), None);
        assert_eq!(limits(&json!({"cpu": "0", "memory": 0})), None);
    }

    #[test]
    fn kills_are_counted_in_both_versions() {
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), 2);
        assert_eq!(kills("low 0\noom 3\noom_kill 1\noom_group_kill 0\n"), 1);
        assert_eq!(kills(""), 0);
    }
}
