use crate::coordinates::Exclusion;

/// What a Flink distribution has by itself, and bindings that would take its logging away; each with the reason why
/// it is left out.
pub const PLATFORM_RULES: &[(&str, &str)] = &[
    ("org.apache.flink:flink-annotations", "in flink-dist"),
    ("org.apache.flink:flink-clients", "in flink-dist"),
    ("org.apache.flink:flink-clients_2.11", "in flink-dist"),
    ("org.apache.flink:flink-clients_2.12", "in flink-dist"),
    ("org.apache.flink:flink-core", "in flink-dist"),
    ("org.apache.flink:flink-core-api", "in flink-dist"),
    ("org.apache.flink:flink-csv", "in lib"),
    ("org.apache.flink:flink-datastream", "in flink-dist"),
    ("org.apache.flink:flink-datastream-api", "in flink-dist"),
    ("org.apache.flink:flink-file-sink-common", "in flink-dist"),
    ("org.apache.flink:flink-hadoop-fs", "in flink-dist"),
    ("org.apache.flink:flink-java", "in flink-dist"),
    ("org.apache.flink:flink-json", "in lib"),
    ("org.apache.flink:flink-metrics-core", "in flink-dist"),
    ("org.apache.flink:flink-optimizer", "in flink-dist"),
    ("org.apache.flink:flink-optimizer_2.11", "in flink-dist"),
    ("org.apache.flink:flink-optimizer_2.12", "in flink-dist"),
    ("org.apache.flink:flink-queryable-state-client-java", "in flink-dist"),
    ("org.apache.flink:flink-rpc-akka-loader", "in flink-dist"),
    ("org.apache.flink:flink-rpc-core", "in flink-dist"),
    ("org.apache.flink:flink-runtime", "in flink-dist"),
    ("org.apache.flink:flink-runtime_2.11", "in flink-dist"),
    ("org.apache.flink:flink-runtime_2.12", "in flink-dist"),
    ("org.apache.flink:flink-scala_2.11", "in flink-dist or lib"),
    ("org.apache.flink:flink-scala_2.12", "in flink-dist or lib"),
    ("org.apache.flink:flink-shaded-asm-9", "in flink-dist"),
    ("org.apache.flink:flink-shaded-guava", "in flink-dist"),
    ("org.apache.flink:flink-shaded-jackson", "in flink-dist"),
    ("org.apache.flink:flink-shaded-netty", "in flink-dist"),
    ("org.apache.flink:flink-shaded-zookeeper-3", "in flink-dist"),
    ("org.apache.flink:flink-statebackend-rocksdb", "in flink-dist"),
    ("org.apache.flink:flink-streaming-java", "in flink-dist"),
    ("org.apache.flink:flink-streaming-java_2.11", "in flink-dist"),
    ("org.apache.flink:flink-streaming-java_2.12", "in flink-dist"),
    ("org.apache.flink:flink-streaming-scala_2.11", "in flink-dist or lib"),
    ("org.apache.flink:flink-streaming-scala_2.12", "in flink-dist or lib"),
    ("org.apache.flink:flink-table-api-bridge-base", "in lib"),
    ("org.apache.flink:flink-table-api-java", "in lib"),
    ("org.apache.flink:flink-table-api-java-bridge", "in lib"),
    ("org.apache.flink:flink-table-api-java-bridge_2.11", "in lib"),
    ("org.apache.flink:flink-table-api-java-bridge_2.12", "in lib"),
    ("org.apache.flink:flink-table-api-java-uber", "in lib"),
    ("org.apache.flink:flink-table-api-scala_2.12", "in lib or opt"),
    ("org.apache.flink:flink-table-api-scala-bridge_2.12", "in lib or opt"),
    ("org.apache.flink:flink-table-code-splitter", "in lib"),
    ("org.apache.flink:flink-table-common", "in lib"),
    ("org.apache.flink:flink-table-planner-blink_2.11", "in lib up to 1.13"),
    ("org.apache.flink:flink-table-planner-blink_2.12", "in lib up to 1.13"),
    ("org.apache.flink:flink-table-planner-loader", "in lib"),
    ("org.apache.flink:flink-table-planner_2.11", "in lib or opt"),
    ("org.apache.flink:flink-table-planner_2.12", "in lib or opt"),
    ("org.apache.flink:flink-table-runtime", "in lib"),
    ("org.apache.flink:flink-table-runtime_2.11", "in lib"),
    ("org.apache.flink:flink-table-runtime_2.12", "in lib"),
    ("org.apache.flink:flink-table-runtime-blink_2.11", "in lib up to 1.13"),
    ("org.apache.flink:flink-table-runtime-blink_2.12", "in lib up to 1.13"),
    ("org.apache.flink:flink-table-type-utils", "in lib"),
    ("org.apache.flink:flink-table-uber_2.12", "in lib"),
    ("org.apache.flink:force-shading", "empty"),
    ("ch.qos.logback:logback-classic", "would take the place of Flink's logging"),
    ("ch.qos.logback:logback-core", "would take the place of Flink's logging"),
    ("ch.qos.reload4j:reload4j", "would take the place of Flink's logging"),
    ("log4j:log4j", "would take the place of Flink's logging"),
    ("org.apache.logging.log4j:log4j-1.2-api", "in lib"),
    ("org.apache.logging.log4j:log4j-api", "in lib"),
    ("org.apache.logging.log4j:log4j-core", "in lib"),
    ("org.apache.logging.log4j:log4j-layout-template-json", "in lib"),
    ("org.apache.logging.log4j:log4j-slf4j-impl", "in lib"),
    ("org.apache.logging.log4j:log4j-slf4j2-impl", "would take the place of Flink's logging"),
    ("org.apache.logging.log4j:log4j-to-slf4j", "would take the place of Flink's logging"),
    ("org.apache.logging.log4j:log4j-web", "would take the place of Flink's logging"),
    ("org.slf4j:slf4j-api", "in flink-dist"),
    ("org.slf4j:slf4j-jdk14", "would take the place of Flink's logging"),
    ("org.slf4j:slf4j-log4j12", "would take the place of Flink's logging"),
    ("org.slf4j:slf4j-nop", "would take the place of Flink's logging"),
    ("org.slf4j:slf4j-reload4j", "would take the place of Flink's logging"),
    ("org.slf4j:slf4j-simple", "would take the place of Flink's logging"),
];

/// The rules without those that `keep` names.
pub fn platform_exclusions(keep: &[Exclusion]) -> Vec<Exclusion> {
    let parts = PLATFORM_RULES.iter().filter_map(|(rule, _)| rule.split_once(':'));
    parts
        .filter(|(group, artifact)| !keep.iter().any(|kept| kept.matches(group, artifact)))
        .map(|(group, artifact)| Exclusion {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_an_exclusion_and_may_be_taken_back() {
        for (rule, _) in PLATFORM_RULES {
            assert!(rule.parse::<Exclusion>().is_ok(), "{rule}");
        }
        let keep = ["org.apache.flink:flink-json", "org.slf4j:*"];
        let keep: Vec<Exclusion> =
            keep.iter().map(|one| one.parse().expect("an exclusion")).collect();
        let left = platform_exclusions(&keep);
        let has = |group: &str, artifact: &str| left.iter().any(|one| one.matches(group, artifact));
        assert!(has("org.apache.flink", "flink-runtime") && has("log4j", "log4j"));
        assert!(!has("org.apache.flink", "flink-json") && !has("org.slf4j", "slf4j-api"));
    }
}
