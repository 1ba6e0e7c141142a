//! Statement sets, and that the script starts one job: Flink allows an application with high availability,
//! which every run has, a single one. All that writes by `INSERT` is one job, which starts when the script ends.

use super::{Finding, Problem};
use crate::{Object, Script, Statement, StatementKind, TokenKind, runner::executed};

/// Where the reading of the script is.
#[derive(Default)]
struct State<'s> {
    findings: Vec<Finding>,
    /// The set that `BEGIN STATEMENT SET` began, and how many statements it has.
    open: Option<(&'s Statement, usize)>,
    /// The statement that started the first job, and whether an `INSERT` can become part of that.
    first: Option<(&'s Statement, bool)>,
    /// Whether something may start a job that is not told apart without Flink.
    may_start: bool,
}

pub(crate) fn check(script: &Script<'_>) -> Vec<Finding> {
    let mut state = State::default();
    for statement in script.statements() {
        state.add(script, statement);
    }
    if let Some((begin, _)) = state.open {
        state.findings.push(Problem::SetNotEnded { lacks_semicolon: false }.at(begin.start));
    }
    let start = script.position(0);
    if script.statements().is_empty() {
        state.findings.push(Problem::Empty.at(start));
    } else if state.first.is_none() && state.open.is_none() && !state.may_start {
        state.findings.push(Problem::NoJob.at(start));
    }
    state.findings
}

impl<'s> State<'s> {
    fn add(&mut self, script: &Script<'_>, statement: &'s Statement) {
        use StatementKind as It;
        let kind = statement.kind;
        if let Some((begin, count)) = self.open {
            match kind {
                It::EndStatementSet => {
                    self.open = None;
                    if count == 0 {
                        // Flink submits nothing, which is said here and not once more.
                        self.may_start = true;
                        self.findings.push(Problem::SetEmpty.at(begin.start));
                    } else {
                        self.start(begin, true);
                    }
                    return;
                }
                It::Insert | It::CreateTableAs | It::ReplaceTableAs => {}
                It::BeginStatementSet | It::StatementSet => {
                    self.findings.push(Problem::SetNested.at(statement.start));
                }
                _ => self.findings.push(Problem::SetContent(kind).at(statement.start)),
            }
            self.open = Some((begin, count + 1));
            return;
        }
        self.findings.extend(of_parts(script, statement));
        match kind {
            It::BeginStatementSet => self.open = Some((statement, 0)),
            It::EndStatementSet => {
                self.findings.push(Problem::SetNotBegun.at(statement.start));
            }
            It::Query => {
                self.findings.push(Problem::QueryResult.at(statement.start));
                self.start(statement, false);
            }
            It::Call | It::AnalyzeTable | It::Unknown | It::Create(Object::MaterializedTable) => {
                self.may_start = true;
                self.judge_order(statement);
            }
            It::Execute => self.start(statement, executed(script, statement).1 == It::Insert),
            _ if kind.writes() => self.start(statement, is_insert(kind)),
            _ => self.judge_order(statement),
        }
    }

    fn start(&mut self, statement: &'s Statement, is_insert: bool) {
        match self.first {
            None => self.first = Some((statement, is_insert)),
            Some((_, true)) if is_insert => {}
            Some((first, _)) => {
                let (kind, first_line) = (statement.kind, first.start.line);
                self.findings.push(Problem::SecondJob { kind, first_line }.at(statement.start));
            }
        }
    }

    /// What changes something must not stand below an `INSERT`, as it would be done before that.
    fn judge_order(&mut self, statement: &Statement) {
        let Some((insert, true)) = self.first else { return };
        let kind = statement.kind;
        if !may_follow_insert(kind) {
            let insert_line = insert.start.line;
            self.findings.push(Problem::AfterInsert { kind, insert_line }.at(statement.start));
        }
    }
}

/// Whether this is part of the one job that all of its kind are.
const fn is_insert(kind: StatementKind) -> bool {
    use StatementKind as It;
    matches!(kind, It::Insert | It::CreateTableAs | It::ReplaceTableAs | It::StatementSet)
}

const fn may_follow_insert(kind: StatementKind) -> bool {
    use StatementKind as It;
    // What is new cannot be what the INSERT meant; of the last three something else is said.
    let is_new = matches!(kind, It::Create(object) if !matches!(object, Object::MaterializedTable));
    let changes_nothing = matches!(
        kind,
        It::Use
            | It::LoadModule
            | It::AddJar
            | It::ClientCommand
            | It::Show
            | It::Describe
            | It::Explain
            | It::CompilePlan
            | It::EndStatementSet
            | It::Merge
            | It::Unknown
    );
    is_new || changes_nothing
}

/// The set that a statement holds as a whole.
fn of_parts(script: &Script<'_>, statement: &Statement) -> Vec<Finding> {
    if !statement.is_complete {
        let lacks_semicolon = statement.parts.last().is_some_and(|part| ends_in_end(script, part));
        return vec![Problem::SetNotEnded { lacks_semicolon }.at(statement.start)];
    }
    let is_set = statement.kind == StatementKind::StatementSet;
    if statement.parts.is_empty() && is_set {
        return vec![Problem::SetEmpty.at(statement.start)];
    }
    let problem = |part: &Statement| match part.kind {
        StatementKind::Insert => None,
        StatementKind::BeginStatementSet | StatementKind::StatementSet => Some(Problem::SetNested),
        kind => Some(Problem::SetContent(kind)),
    };
    let parts = statement.parts.iter();
    parts.filter_map(|part| problem(part).map(|problem| problem.at(part.start))).collect()
}

/// Whether the statement ends in an `END` that belongs to no `CASE`.
fn ends_in_end(script: &Script<'_>, statement: &Statement) -> bool {
    let tokens = script.significant(statement);
    let is = |token: &crate::Token, word: &str| {
        token.kind == TokenKind::Word && script.token_text(token).eq_ignore_ascii_case(word)
    };
    let count = |word: &str| tokens.iter().filter(|token| is(token, word)).count();
    tokens.last().is_some_and(|last| is(last, "END")) && count("END") > count("CASE")
}
