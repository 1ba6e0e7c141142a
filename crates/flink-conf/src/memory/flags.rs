use crate::java;

/// `-D key=value` for each pair, in the order in which Java's hash map hands them out.
pub(super) fn dynamic_parameters(pairs: &[(&str, String)]) -> String {
    let keys: Vec<&str> = pairs.iter().map(|(key, _)| *key).collect();
    let order = java::hash_order(&keys, java::grown_capacity(keys.len()));
    let text: Vec<String> =
        order.iter().map(|at| format!("-D {}={}", pairs[*at].0, pairs[*at].1)).collect();
    text.join(" ")
}

/// The flags for heap, direct memory and metaspace.
pub(super) fn jvm_flags(heap: u64, direct: Option<u64>, metaspace: u64) -> String {
    let direct =
        direct.map_or_else(String::new, |bytes| format!(" -XX:MaxDirectMemorySize={bytes}"));
    format!("-Xmx{heap} -Xms{heap}{direct} -XX:MaxMetaspaceSize={metaspace}")
}

/// A size as these parameters carry it.
pub(super) fn bytes(bytes: u64) -> String {
    format!("{bytes}b")
}
