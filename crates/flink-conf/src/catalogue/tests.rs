use super::*;

fn catalogue(major: u16, minor: u16) -> Catalogue {
    Catalogue::of(FlinkMinor::new(major, minor))
}

#[test]
fn every_line_of_the_data_is_read_and_every_minor_has_its_options() {
    let lines = include_str!("../../data/options.tsv").lines().count();
    assert_eq!(TABLE.options().len(), lines);
    let counts: Vec<usize> = FlinkMinor::SUPPORTED
        .into_iter()
        .map(|minor| Catalogue::of(minor).iter().count())
        .collect();
    assert_eq!(counts, COUNTS);
}

/// Options of 1.11, 1.12, … 2.3, patterns included.
const COUNTS: [usize; 14] = [509, 549, 600, 582, 646, 698, 729, 754, 806, 874, 905, 931, 949, 976];

#[test]
fn no_key_has_two_lines_for_the_same_minor() {
    for minor in FlinkMinor::SUPPORTED {
        let mut keys: Vec<&str> = Catalogue::of(minor).iter().map(|option| option.key).collect();
        let all = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), all, "{minor}");
    }
}

#[test]
fn every_default_is_a_value_that_the_option_allows() {
    for minor in FlinkMinor::SUPPORTED {
        let mut configuration = crate::Configuration::new(minor);
        for option in Catalogue::of(minor).iter().filter(|option| !option.default_is_computed) {
            if let Some(default) = option.default.filter(|default| !default.is_empty()) {
                configuration.set_text(option.key, default);
            }
        }
        let wrong = crate::check(&configuration, crate::Strictness::JobFile);
        let wrong: Vec<_> =
            wrong.iter().filter(|finding| finding.severity == crate::Severity::Error).collect();
        assert!(wrong.is_empty(), "{minor}: {wrong:?}");
    }
}

#[test]
fn an_alias_names_its_option_only_where_flink_reads_it() {
    let found = catalogue(1, 20).find("env.java.opts").expect("an alias since 1.17");
    assert_eq!((found.option().key, matches!(found, Match::Alias(_))), ("env.java.opts.all", true));
    let found = catalogue(1, 16).find("env.java.opts").expect("a key of its own before");
    assert!(matches!(found, Match::Key(_)));
}

#[test]
fn fallback_keys_come_before_deprecated_ones() {
    for option in TABLE.options().iter().filter(|option| !option.fallback_keys.is_empty()) {
        let keys: Vec<&str> = option.keys().collect();
        assert_eq!(keys[1], option.fallback_keys[0]);
    }
}

#[test]
fn keys_of_reporters_and_resources_are_known_by_their_pattern() {
    let find = |key| catalogue(1, 20).option(key).map(|option| option.key);
    assert_eq!(find("metrics.reporter.prom.interval"), Some("metrics.reporter.<name>.interval"));
    assert_eq!(find("metrics.reporter.prom.port"), Some("metrics.reporter.<name>"));
    assert_eq!(
        find("external-resource.gpu.param.a.b"),
        Some("external-resource.<name>.param.<name>")
    );
    assert_eq!(find("external-resource..amount"), None);
}

#[test]
fn entries_of_a_map_may_stand_under_keys_of_their_own() {
    let found = catalogue(1, 20).find("kubernetes.jobmanager.labels.app.kubernetes.io/team");
    assert!(
        matches!(found, Some(Match::MapEntry(option)) if option.key == "kubernetes.jobmanager.labels")
    );
}

#[test]
fn slips_get_a_suggestion_and_foreign_keys_do_not() {
    let suggest = |key| catalogue(1, 20).suggest(key);
    assert_eq!(suggest("paralelism.default"), Some("parallelism.default"));
    assert_eq!(suggest("taskmanager.numberOfTaskSlot"), Some("taskmanager.numberOfTaskSlots"));
    assert_eq!(suggest("jobmanager.memory.proccess.size"), Some("jobmanager.memory.process.size"));
    assert_eq!(suggest("my.company.setting"), None);
    assert_eq!(suggest("s3.acess-key"), None);
}

#[test]
fn a_general_key_is_not_a_synonym_of_the_special_ones() {
    let catalogue = catalogue(1, 20);
    assert_eq!(
        catalogue.canonical("kubernetes.pod-template-file"),
        "kubernetes.pod-template-file.default"
    );
    assert_eq!(catalogue.canonical("kubernetes.service-account"), "kubernetes.service-account");
    assert_eq!(catalogue.canonical("high-availability"), "high-availability.type");
    assert_eq!(catalogue.canonical("unknown.key"), "unknown.key");
}
