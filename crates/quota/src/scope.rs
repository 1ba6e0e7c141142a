//! Which objects a quota counts: all, or those of some scopes.

use serde_json::Value;

/// What a quota says of the objects that it counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spec {
    /// All of them must hold.
    selectors: Vec<Selector>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Selector {
    scope: String,
    operator: String,
    values: Vec<String>,
}

impl Spec {
    /// Of the `spec` of a `ResourceQuota`.
    pub fn of(spec: &Value) -> Self {
        let list =
            |pointer: &str| spec.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let plain = list("/scopes").map(|scope| Selector {
            scope: text(scope),
            operator: "Exists".to_owned(),
            values: Vec::new(),
        });
        let selected = list("/scopeSelector/matchExpressions").map(|expression| Selector {
            scope: expression.get("scopeName").map(text).unwrap_or_default(),
            operator: expression.get("operator").map(text).unwrap_or_default(),
            values: expression
                .get("values")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(text)
                .collect(),
        });
        Self { selectors: plain.chain(selected).collect() }
    }

    /// Whether it counts an object: only pods are in any scope.
    pub(crate) fn selects(&self, pod: Option<&Value>) -> bool {
        self.selectors.iter().all(|selector| pod.is_some_and(|pod| selector.matches(pod)))
    }
}

impl Selector {
    fn matches(&self, pod: &Value) -> bool {
        match self.scope.as_str() {
            "Terminating" => ends_by_itself(pod),
            "NotTerminating" => !ends_by_itself(pod),
            "BestEffort" => is_best_effort(pod),
            "NotBestEffort" => !is_best_effort(pod),
            "PriorityClass" => self.matches_class(pod),
            "CrossNamespacePodAffinity" => looks_elsewhere(pod),
            _ => false,
        }
    }

    fn matches_class(&self, pod: &Value) -> bool {
        let class = pod.pointer("/spec/priorityClassName").and_then(Value::as_str);
        let class = class.filter(|name| !name.is_empty());
        let listed = class.is_some_and(|name| self.values.iter().any(|value| value == name));
        match self.operator.as_str() {
            "Exists" => class.is_some(),
            "DoesNotExist" => class.is_none(),
            "In" => listed,
            "NotIn" => !listed,
            _ => false,
        }
    }
}

/// Whether a pod has a deadline.
pub(crate) fn ends_by_itself(pod: &Value) -> bool {
    pod.pointer("/spec/activeDeadlineSeconds").and_then(Value::as_i64).is_some_and(|it| it >= 0)
}

fn is_best_effort(pod: &Value) -> bool {
    pod.pointer("/status/qosClass").is_some_and(|class| class == "BestEffort")
}

/// Whether a pod wants to be near to, or far from, pods of other namespaces.
fn looks_elsewhere(pod: &Value) -> bool {
    let list = |pointer: &str| pod.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    ["podAffinity", "podAntiAffinity"].iter().any(|kind| {
        let place = format!("/spec/affinity/{kind}");
        let required = list(&format!("{place}/requiredDuringSchedulingIgnoredDuringExecution"));
        let preferred = list(&format!("{place}/preferredDuringSchedulingIgnoredDuringExecution"))
            .filter_map(|weighted| weighted.get("podAffinityTerm"));
        required.chain(preferred).any(|term| {
            let named = term.get("namespaces").and_then(Value::as_array);
            named.is_some_and(|names| !names.is_empty()) || term.get("namespaceSelector").is_some()
        })
    })
}
