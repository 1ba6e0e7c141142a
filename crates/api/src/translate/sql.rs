use std::time::Duration;

use flumen_api_types as api;
use flumen_control as control;

use super::artifacts;

pub(crate) fn explain_sql(body: api::ExplainSql) -> control::ExplainSql {
    control::ExplainSql {
        script: body.script,
        flink_version: body.flink_version,
        environment: body.environment,
        dependencies: body.dependencies,
        artifacts: artifacts(body.artifacts),
        configuration: body.configuration,
        parallelism: body.parallelism,
        resources: body.resources,
        pod_templates: body.pod_templates,
        timeout: body.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
    }
}

pub(crate) fn sql_explanation(explanation: control::SqlExplanation) -> api::SqlExplanation {
    api::SqlExplanation {
        explained: explanation.explained,
        findings: explanation.findings.into_iter().map(finding).collect(),
        warnings: explanation.warnings,
        statements: explanation.statements.into_iter().map(statement).collect(),
    }
}

fn finding(finding: control::SqlFinding) -> api::SqlFinding {
    let control::SqlFinding { is_error, code, line, column, message } = finding;
    let severity = if is_error { api::SqlSeverity::Error } else { api::SqlSeverity::Warning };
    api::SqlFinding { severity, code, line, column, message }
}

fn statement(statement: control::SqlStatement) -> api::SqlStatement {
    let control::SqlStatement { kind, line, column, plan, note, error } = statement;
    let error = error.map(|refusal| {
        let control::SqlRefusal { line, column, message, remedy, coordinates } = refusal;
        api::SqlRefusal { line, column, message, remedy, coordinates }
    });
    api::SqlStatement { kind, line, column, plan, note, error }
}
