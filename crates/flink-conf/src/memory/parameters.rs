use flumen_model::FlinkMinor;

use super::{
    MemoryError,
    budget::Reader,
    flags,
    task_manager::{
        FRAMEWORK_HEAP, FRAMEWORK_OFF_HEAP, KEYS, MANAGED, NETWORK_MAX, NETWORK_MIN, TASK_HEAP,
        TASK_OFF_HEAP, TaskManagerMemory,
    },
};
use crate::{feature, java};

/// What goes into a TaskManager's dynamic parameters besides sizes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameters {
    minor: FlinkMinor,
    pub(super) slots: i64,
    /// External resources (GPUs) with their amounts.
    external: Vec<(String, i64)>,
}

impl Parameters {
    pub(super) fn read(reader: &Reader<'_>) -> Result<Self, MemoryError> {
        let configuration = reader.configuration;
        let slots = configuration.integer("taskmanager.numberOfTaskSlots");
        let slots = slots.map_err(|source| reader.read(source))?.unwrap_or(1);
        let names = configuration.list("external-resources");
        let names = names.map_err(|source| reader.read(source))?.unwrap_or_default();
        let mut external = Vec::new();
        for name in names.into_iter().filter(|name| name != "none" && !name.is_empty()) {
            let amount = configuration.integer(&format!("external-resource.{name}.amount"));
            if let Some(amount) = amount.map_err(|source| reader.read(source))? {
                external.push((name, amount));
            }
        }
        Ok(Self { minor: configuration.minor(), slots, external })
    }

    pub(super) fn render(&self, memory: &TaskManagerMemory) -> String {
        let mut pairs = vec![
            ("taskmanager.cpu.cores", java::double_text(memory.cpu)),
            (FRAMEWORK_HEAP, flags::bytes(memory.framework_heap)),
            (FRAMEWORK_OFF_HEAP, flags::bytes(memory.framework_off_heap)),
            (TASK_HEAP, flags::bytes(memory.task_heap)),
            (TASK_OFF_HEAP, flags::bytes(memory.task_off_heap)),
            (NETWORK_MIN, flags::bytes(memory.network)),
            (NETWORK_MAX, flags::bytes(memory.network)),
            (MANAGED, flags::bytes(memory.managed)),
        ];
        if !feature::ALL_SIZES_AS_PARAMETERS.is_in(self.minor) {
            // 1.11 ends each parameter with a blank instead of separating them.
            return flags::dynamic_parameters(&pairs) + " ";
        }
        pairs.push((KEYS.metaspace, flags::bytes(memory.metaspace)));
        pairs.push((KEYS.overhead_min, flags::bytes(memory.overhead)));
        pairs.push((KEYS.overhead_max, flags::bytes(memory.overhead)));
        if !feature::SLOTS_AS_PARAMETERS.is_in(self.minor) {
            return flags::dynamic_parameters(&pairs);
        }
        let amounts: Vec<(String, String)> = self
            .external
            .iter()
            .map(|(name, amount)| (format!("external-resource.{name}.amount"), amount.to_string()))
            .collect();
        pairs.push(("taskmanager.numberOfTaskSlots", self.slots.to_string()));
        pairs.push(("external-resources", self.names()));
        pairs.extend(amounts.iter().map(|(key, amount)| (key.as_str(), amount.clone())));
        flags::dynamic_parameters(&pairs)
    }

    fn names(&self) -> String {
        if self.external.is_empty() {
            return "none".to_owned();
        }
        let given: Vec<&str> = self.external.iter().map(|(name, _)| name.as_str()).collect();
        let order = java::hash_order(&given, java::grown_capacity(given.len()));
        let names: Vec<&str> = order.iter().map(|at| given[*at]).collect();
        let quote = if feature::QUOTED_RESOURCES.is_in(self.minor) { "\"" } else { "" };
        format!("{quote}{}{quote}", names.join(";"))
    }
}
