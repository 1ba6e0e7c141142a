//! Runs a case against a server and says what came back.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail};
use futures::StreamExt as _;
use serde_json::{Map, Value, json};

use self::{pick::pick, stream::Stream};
use crate::{
    Target,
    case::{Case, Show, Step},
    normal::Names,
    text::sorted,
};

mod may;
mod pick;
mod request;
mod socket;
mod stream;

/// How long any one step may take before the case counts as hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// A case under way.
struct Run<'a> {
    target: &'a Target,
    client: &'a reqwest::Client,
    namespace: String,
    variables: BTreeMap<String, String>,
    open: BTreeMap<String, Stream>,
    names: Names<'a>,
}

/// What came back for each step that is recorded.
async fn run(
    target: &Target,
    client: &reqwest::Client,
    case: &Case,
    namespace: String,
) -> Result<Vec<Value>> {
    let mut run = Run {
        target,
        client,
        variables: BTreeMap::from([("ns".to_owned(), namespace.clone())]),
        open: BTreeMap::new(),
        names: Names::new(&case.source, &namespace),
        namespace,
    };
    if case.needs_namespace() {
        let made = tokio::time::timeout(PATIENCE, run.make_namespace()).await;
        made.context("the namespace was not ready in time")??;
    }
    let mut answers = Vec::new();
    for (position, step) in case.steps.iter().enumerate() {
        let taken = tokio::time::timeout(PATIENCE, run.step(step)).await;
        let answer = taken
            .context("it took too long")
            .and_then(|taken| taken)
            .with_context(|| format!("step {} ({})", position + 1, step.r#do))?;
        if step.shown() != Show::Nothing {
            answers.push(answer);
        }
    }
    Ok(answers)
}

impl Run<'_> {
    /// Every case has a namespace with what controllers put into one.
    async fn make_namespace(&mut self) -> Result<()> {
        let object = json!({"metadata": {"name": self.namespace}});
        let answer =
            request::send(self, &plain("POST", "/api/v1/namespaces"), Some(object)).await?;
        anyhow::ensure!(answer.code == 201, "the namespace was refused: {}", answer.body);
        for name in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
            stream::wait(self, &plain("WAIT", name), &json!({})).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<Value> {
        match step.parts() {
            ("WATCH", _) => {
                let mut stream = stream::open(self, step).await?;
                let events = self.events(step, &mut stream).await?;
                if let Some(name) = &step.open {
                    self.open.insert(name.clone(), stream);
                }
                Ok(events)
            }
            ("SOCKET", _) => {
                let mut stream = socket::open(self, step).await?;
                self.events(step, &mut stream).await
            }
            ("READ", name) => {
                let name = name.to_owned();
                let mut stream = self.open.remove(&name).context("no such watch is open")?;
                let events = self.events(step, &mut stream).await?;
                self.open.insert(name, stream);
                Ok(events)
            }
            ("WAIT", _) => {
                let until = step.until.clone().unwrap_or_else(|| json!({}));
                let object = stream::wait(self, step, &until).await?;
                self.keep(step, &object)?;
                Ok(self.shown(step, object))
            }
            ("MAY", _) => may::wait(self, step).await,
            _ => self.request(step).await,
        }
    }

    async fn request(&mut self, step: &Step) -> Result<Value> {
        let answer = request::send(self, step, step.body.clone()).await?;
        self.keep(step, &answer.body)?;
        let mut shown = Map::new();
        shown.insert("code".into(), answer.code.into());
        if answer.media_type != "application/json" && step.shown() == Show::All {
            shown.insert("type".into(), answer.media_type.into());
        }
        if !answer.warnings.is_empty() {
            shown.insert("warnings".into(), answer.warnings.into());
        }
        if step.shown() == Show::All {
            shown.insert("body".into(), self.shown(step, answer.body));
        }
        Ok(Value::Object(shown))
    }

    /// The next events of a watch, and how it ended, if that is asked for.
    async fn events(&mut self, step: &Step, stream: &mut Stream) -> Result<Value> {
        if let Some(refusal) = stream.refusal.take() {
            return Ok(self.shown(step, refusal));
        }
        let mut events = Vec::new();
        for _ in 0..step.events {
            let Some(event) = stream.next().await? else { break };
            self.keep(step, &event)?;
            events.push(self.shown(step, event));
        }
        if step.end {
            while let Some(event) = stream.next().await? {
                events.push(self.shown(step, event));
            }
            events.push("end".into());
        }
        Ok(events.into())
    }

    fn shown(&mut self, step: &Step, answer: Value) -> Value {
        let answer = self.names.normal(answer, step.managers);
        sorted(pick(&answer, &step.pick))
    }

    fn keep(&mut self, step: &Step, answer: &Value) -> Result<()> {
        for (name, pointer) in &step.keep {
            let value = pick::find(answer, pointer);
            let Some(value) = value else { bail!("there is no {pointer} in {answer}") };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.variables.insert(name.clone(), text);
        }
        Ok(())
    }

    /// A text with the values of variables in place of their names in braces.
    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.variables {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        filled
    }

    fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.fill(text).into(),
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(map) => {
                let pair =
                    |(key, value): (&String, &Value)| (self.fill(key), self.fill_value(value));
                Value::Object(map.iter().map(pair).collect())
            }
            other => other.clone(),
        }
    }
}

/// A step that is no one's but the suite's own.
fn plain(verb: &str, path: &str) -> Step {
    Step {
        r#do: format!("{verb} {path}"),
        body: None,
        text: None,
        media_type: None,
        accept: None,
        token: None,
        headers: BTreeMap::new(),
        keep: BTreeMap::new(),
        show: None,
        pick: Vec::new(),
        managers: false,
        events: 0,
        end: false,
        open: None,
        until: None,
    }
}

/// Runs all cases, a few at a time. `round` tells the namespaces of one run from those of another.
pub(crate) async fn run_all(
    target: &Target,
    cases: &[&Case],
    round: usize,
) -> Result<Vec<Result<Vec<Value>>>> {
    const AT_A_TIME: usize = 4;
    let client = &target.client()?;
    let runs = cases
        .iter()
        .enumerate()
        .map(|(number, case)| run(target, client, case, format!("case-{round}x{number:03}x")));
    Ok(futures::stream::iter(runs).buffered(AT_A_TIME).collect().await)
}
