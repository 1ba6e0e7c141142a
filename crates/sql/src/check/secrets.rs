//! Secrets in statements that would show them.

use super::Finding;
use crate::{Script, Statement, StatementKind, VariableProblem, piece::PieceKind};

pub(crate) fn check(script: &Script<'_>) -> Vec<Finding> {
    let Some(resolved) = script.resolved() else { return Vec::new() };
    let secrets = resolved.pieces().iter().filter(|piece| piece.kind == PieceKind::Secret);
    let of_secret = |offset| {
        let is_around = |one: &&Statement| script.span(one).contains(&offset);
        let statement = script.statements().iter().find(is_around)?;
        Some(problem(statement.kind)?.at(script.position(offset)))
    };
    secrets.filter_map(|secret| of_secret(secret.at)).collect()
}

/// What is wrong with a secret in a statement of this kind.
const fn problem(kind: StatementKind) -> Option<VariableProblem> {
    use StatementKind as It;
    match kind {
        It::Set
        | It::Reset
        | It::Query
        | It::Show
        | It::Describe
        | It::Explain
        | It::AddJar
        | It::RemoveJar => Some(VariableProblem::SecretShown),
        It::Insert
        | It::StatementSet
        | It::Execute
        | It::CompilePlan
        | It::CompileAndExecutePlan
        | It::Update
        | It::Delete => Some(VariableProblem::SecretInPlan),
        _ => None,
    }
}
