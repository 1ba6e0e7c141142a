use flumen_flink_conf::{Configuration, MemoryError, job_manager_memory, task_manager_memory};
use flumen_model::FlinkMinor;
use proptest::{collection::btree_map, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::flink_classes::{Questions, drawn, version};

/// Configurations of each process for each version.
const CONFIGURATIONS: usize = 150;

type Entries = std::collections::BTreeMap<&'static str, String>;
/// The JVM's flags and the dynamic parameters, or the refusal.
type Computed = Result<Value, MemoryError>;

#[test]
fn processes_get_the_memory_that_flinks_scripts_give_them() {
    let job_managers = drawn(&job_manager(), CONFIGURATIONS);
    let task_managers = drawn(&task_manager(), CONFIGURATIONS);
    for minor in ["1.18", "1.20", "2.3"] {
        let number: FlinkMinor = minor.parse().expect("a minor");
        let mut questions = Questions::new();
        let mut computed = Vec::new();
        let mut ask = |role, entries: &Entries, compute: fn(&Configuration) -> Computed| {
            let mut configuration = Configuration::new(number);
            configuration.extend(entries.iter().map(|(key, value)| (*key, value.as_str())));
            questions.add(role, &configuration);
            computed.push((entries.clone(), compute(&configuration)));
        };
        for entries in &job_managers {
            ask("jobmanager", entries, job_manager_lines);
        }
        for entries in &task_managers {
            ask("taskmanager", entries, task_manager_lines);
        }
        let answers = questions.ask(version(minor));
        for (computed, answers) in
            computed.chunks(CONFIGURATIONS).zip(answers.chunks(CONFIGURATIONS))
        {
            compare(minor, computed, answers);
        }
    }
}

fn job_manager_lines(configuration: &Configuration) -> Computed {
    let memory = job_manager_memory(configuration)?;
    Ok(json!([memory.jvm_flags(), memory.dynamic_parameters()]))
}

fn task_manager_lines(configuration: &Configuration) -> Computed {
    let memory = task_manager_memory(configuration)?;
    Ok(json!([memory.jvm_flags(), memory.dynamic_parameters()]))
}

fn compare(minor: &str, computed: &[(Entries, Computed)], answers: &[Value]) {
    let mut counts = (0, 0);
    for ((entries, computed), answer) in computed.iter().zip(answers) {
        let refusal = answer["error"].as_str();
        assert_eq!(
            computed.is_err(),
            refusal.is_some(),
            "Flink {minor}: {entries:?}: computed {computed:?}, Flink says {answer}"
        );
        match computed {
            Ok(lines) => {
                assert_eq!(*lines, answer["lines"], "Flink {minor}: {entries:?}");
                counts.0 += 1;
            }
            Err(error) => {
                assert_same_sizes(&error.to_string(), refusal.unwrap_or_default());
                counts.1 += 1;
            }
        }
    }
    assert!(counts.0 >= CONFIGURATIONS / 3 && counts.1 >= CONFIGURATIONS / 10, "{counts:?}");
}

/// Every size that Flink names in its refusal is in ours. A wrong fraction is wrong whatever the sizes.
fn assert_same_sizes(error: &str, refusal: &str) {
    if refusal.contains("fraction must be in range") {
        assert!(error.contains("fraction"), "{error}\nFlink says:\n{refusal}");
        return;
    }
    let sizes = refusal.split('(').filter_map(|part| part.split_once(" bytes)"));
    for (bytes, _) in sizes {
        assert!(
            error.contains(&format!("({bytes} bytes)")),
            "{bytes} bytes are missing in:\n{error}\nFlink says:\n{refusal}"
        );
    }
}

fn size(mebibytes: std::ops::Range<u64>) -> impl Strategy<Value = String> {
    mebibytes.prop_flat_map(|size| {
        prop_oneof![
            4 => Just(format!("{size}m")),
            1 => Just(format!("{} kb", size * 1024 + 7)),
            2 => (0..1_048_576_u64).prop_map(move |more| format!("{}b", (size << 20) + more)),
            1 => Just(format!("{} bytes", size << 20)),
        ]
    })
}

fn fraction() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&["0.1", "0.25", "0.4", "0.33", "0.05", "0.0", "0.9"][..]).prop_map(str::to_owned),
        2 => (0..1000_u32).prop_map(|number| format!("0.{number:03}")),
        1 => select(&["1.0", "1.5", "-0.1"][..]).prop_map(str::to_owned),
    ]
}

/// A value for a key of one of some options, small parts and large totals.
fn sizes_of(
    keys: &'static [&'static str],
    mebibytes: std::ops::Range<u64>,
) -> impl Strategy<Value = Entries> {
    btree_map(select(keys), size(mebibytes), 0..3)
}

fn merged(parts: impl IntoIterator<Item = Entries>) -> Entries {
    parts.into_iter().flatten().collect()
}

fn job_manager() -> impl Strategy<Value = Entries> {
    let totals = btree_map(
        select(&["jobmanager.memory.process.size", "jobmanager.memory.flink.size"][..]),
        size(500..6000),
        1..2,
    );
    let heap = btree_map(Just("jobmanager.memory.heap.size"), size(64..2000), 0..2);
    let parts = sizes_of(
        &[
            "jobmanager.memory.off-heap.size",
            "jobmanager.memory.jvm-metaspace.size",
            "jobmanager.memory.jvm-overhead.min",
        ],
        0..400,
    );
    let most = btree_map(Just("jobmanager.memory.jvm-overhead.max"), size(300..3000), 0..2);
    let fractions = btree_map(Just("jobmanager.memory.jvm-overhead.fraction"), fraction(), 0..2);
    let limit = btree_map(
        Just("jobmanager.memory.enable-jvm-direct-memory-limit"),
        any::<bool>().prop_map(|flag| flag.to_string()),
        0..2,
    );
    (totals, heap, parts, most, fractions, limit)
        .prop_map(|(a, b, c, d, e, f)| merged([a, b, c, d, e, f]))
}

fn task_manager() -> impl Strategy<Value = Entries> {
    let totals = btree_map(
        select(&["taskmanager.memory.process.size", "taskmanager.memory.flink.size"][..]),
        size(700..8000),
        1..2,
    );
    let large = sizes_of(
        &["taskmanager.memory.task.heap.size", "taskmanager.memory.managed.size"],
        0..1500,
    );
    let parts = sizes_of(
        &[
            "taskmanager.memory.framework.heap.size",
            "taskmanager.memory.framework.off-heap.size",
            "taskmanager.memory.task.off-heap.size",
            "taskmanager.memory.jvm-metaspace.size",
            "taskmanager.memory.jvm-overhead.min",
            "taskmanager.memory.network.min",
        ],
        0..300,
    );
    let most = sizes_of(
        &["taskmanager.memory.jvm-overhead.max", "taskmanager.memory.network.max"],
        300..3000,
    );
    let fractions = btree_map(
        select(
            &[
                "taskmanager.memory.jvm-overhead.fraction",
                "taskmanager.memory.network.fraction",
                "taskmanager.memory.managed.fraction",
            ][..],
        ),
        fraction(),
        0..3,
    );
    (totals, large, parts, most, fractions, others())
        .prop_map(|(a, b, c, d, e, f)| merged([a, b, c, d, e, f]))
}

/// What the parameters of a TaskManager hold besides sizes.
fn others() -> impl Strategy<Value = Entries> {
    let slots = btree_map(
        Just("taskmanager.numberOfTaskSlots"),
        (1..9_u32).prop_map(|slots| slots.to_string()),
        0..2,
    );
    let cores = btree_map(
        Just("taskmanager.cpu.cores"),
        select(&["0.5", "1", "2.25", "0"][..]).prop_map(str::to_owned),
        0..2,
    );
    let external = prop_oneof![
        3 => Just(Entries::new()),
        1 => (select(&["gpu", "fpga;gpu", "gpu;a;fpga", "none"][..]), 1..5_u32).prop_map(|(names, amount)| {
            Entries::from([
                ("external-resources", names.to_owned()),
                ("external-resource.gpu.amount", amount.to_string()),
                ("external-resource.fpga.amount", (amount * 3).to_string()),
            ])
        }),
    ];
    (slots, cores, external).prop_map(|(a, b, c)| merged([a, b, c]))
}
