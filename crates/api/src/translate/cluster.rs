use flumen_api_types as api;
use flumen_control as control;
use flumen_model::{InvalidValue, Secret};

pub(crate) fn cluster(view: control::ClusterView) -> api::Cluster {
    let reachable = view.answer.is_ok();
    let (kubernetes_version, reason) = match view.answer {
        Ok(version) => (Some(version), None),
        Err(why) => (None, Some(why.reason)),
    };
    let access = view.access;
    api::Cluster {
        name: view.name,
        version: super::count(view.version),
        created_at: Some(view.created_at).filter(|at| at.as_millisecond() != 0),
        access: Some(access.kind),
        kubeconfig: access.file.unwrap_or_default(),
        context: access.context,
        url: view.server,
        credentials: access.credentials,
        account: access.account,
        expires_at: access.expires,
        acts_as: access.acts_as,
        private_authority: access.private_authority,
        insecure: access.insecure,
        proxy: access.proxy,
        environments: view.environments,
        reachable,
        kubernetes_version,
        reason,
    }
}

pub(crate) fn cluster_check(check: control::ClusterCheck) -> api::ClusterCheck {
    let finding = |one: control::ClusterFinding| api::Check {
        name: one.name,
        outcome: match one.outcome {
            control::CheckOutcome::Passed => api::CheckOutcome::Ok,
            control::CheckOutcome::NotLooked => api::CheckOutcome::Warn,
            control::CheckOutcome::Failed => api::CheckOutcome::Fail,
        },
        detail: one.detail,
        remedy: one.remedy,
    };
    let checks = check.findings.into_iter().map(finding).collect();
    api::ClusterCheck { cluster: cluster(check.cluster), checks }
}

pub(crate) fn cluster_needs(places: Vec<control::Place>) -> api::ClusterNeeds {
    let needs = |place: control::Place| api::NamespaceNeeds {
        namespace: place.namespace,
        service_accounts: place.accounts,
        host_network: place.host_network,
    };
    api::ClusterNeeds { namespaces: places.into_iter().map(needs).collect() }
}

pub(crate) fn another_place(
    query: api::ClusterCheckQuery,
) -> Result<Option<control::AnotherPlace>, InvalidValue> {
    let api::ClusterCheckQuery { namespace, service_account } = query;
    match (namespace, service_account) {
        (Some(namespace), account) => Ok(Some(control::AnotherPlace { namespace, account })),
        (None, Some(account)) => {
            Err(InvalidValue::new("serviceAccount", &account, "it goes with a namespace only"))
        }
        (None, None) => Ok(None),
    }
}

pub(crate) fn cluster_source(
    source: api::ClusterSource,
) -> Result<control::ClusterSource, InvalidValue> {
    let refuse = |field, value: &str, allowed| Err(InvalidValue::new(field, value, allowed));
    match (source.kubeconfig, source.in_cluster) {
        (Some(text), false) => Ok(control::ClusterSource::Kubeconfig {
            text: Secret::new(text),
            context: source.context,
        }),
        (None, true) if source.context.is_none() => Ok(control::ClusterSource::InCluster),
        (None, true) => {
            refuse("context", &source.context.unwrap_or_default(), "it goes with a kubeconfig only")
        }
        (Some(_), true) => refuse("inCluster", "true", "it goes without a kubeconfig"),
        (None, false) => refuse("kubeconfig", "", "give its text, or inCluster: true"),
    }
}
