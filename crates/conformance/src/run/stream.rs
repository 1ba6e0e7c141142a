//! Watches: their events one by one, and waiting until an object is as wanted.

use anyhow::{Context, Result, bail, ensure};
use futures::stream::{BoxStream, StreamExt as _};
use serde_json::{Value, json};

use super::{Run, plain, request};
use crate::case::Step;

/// The answer to a watch.
pub(super) struct Stream {
    /// The answer, if it is no stream of events.
    pub(super) refusal: Option<Value>,
    chunks: BoxStream<'static, Result<Vec<u8>>>,
    rest: Vec<u8>,
}

impl Stream {
    pub(super) fn new(chunks: BoxStream<'static, Result<Vec<u8>>>) -> Self {
        Self { refusal: None, chunks, rest: Vec::new() }
    }

    pub(super) fn refused(answer: Value) -> Self {
        let mut stream = Self::new(futures::stream::empty().boxed());
        stream.refusal = Some(answer);
        stream
    }

    /// The next event; `None` when the server ended the watch.
    pub(super) async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line).context("an event is no JSON").map(Some);
            }
            match self.chunks.next().await {
                Some(chunk) => self.rest.extend_from_slice(&chunk?),
                None => return Ok(None),
            }
        }
    }
}

/// Opens the watch of a step.
pub(super) async fn open(run: &Run<'_>, step: &Step) -> Result<Stream> {
    let path = step.parts().1;
    let sign = if path.contains('?') { '&' } else { '?' };
    let mut step = step.clone();
    step.r#do = format!("WATCH {path}{sign}watch=1");
    let response = request::begin(run, &step, None).await?;
    if response.status().as_u16() != 200 {
        let code = response.status().as_u16();
        let body: Value = response.json().await.unwrap_or_default();
        return Ok(Stream::refused(json!({"code": code, "body": body})));
    }
    let chunks = response.bytes_stream();
    Ok(Stream::new(chunks.map(|chunk| Ok(chunk?.to_vec())).boxed()))
}

/// Waits until the named object is as wanted, and answers with it.
pub(super) async fn wait(run: &Run<'_>, step: &Step, until: &Value) -> Result<Value> {
    let path = step.parts().1;
    let (collection, name) = path.rsplit_once('/').context("what to wait for has no name")?;
    let watch = format!("WATCH {collection}?fieldSelector=metadata.name={name}");
    if *until == json!("gone") {
        return wait_until_gone(run, path, &watch).await;
    }
    let mut stream = open(run, &plain_step(&watch)).await?;
    ensure!(stream.refusal.is_none(), "the watch was refused: {:?}", stream.refusal);
    while let Some(event) = stream.next().await? {
        if event["type"] != "DELETED" && holds(&event["object"], until) {
            return Ok(event["object"].clone());
        }
    }
    bail!("the watch ended")
}

async fn wait_until_gone(run: &Run<'_>, path: &str, watch: &str) -> Result<Value> {
    let found = request::send(run, &plain("GET", path), None).await?;
    if found.code == 404 {
        return Ok(Value::Null);
    }
    let version = found.body["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    let mut stream = open(run, &plain_step(&format!("{watch}&resourceVersion={version}"))).await?;
    ensure!(stream.refusal.is_none(), "the watch was refused: {:?}", stream.refusal);
    while let Some(event) = stream.next().await? {
        if event["type"] == "DELETED" {
            return Ok(event["object"].clone());
        }
    }
    bail!("the watch ended")
}

fn plain_step(what: &str) -> Step {
    let (verb, path) = what.split_once(' ').unwrap_or((what, ""));
    plain(verb, path)
}

/// Whether an object has all that is wanted; null stands for nothing there.
fn holds(object: &Value, wanted: &Value) -> bool {
    match (object, wanted) {
        (_, Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            let found = object.get(key).unwrap_or(&Value::Null);
            holds(found, value)
        }),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found.iter().zip(wanted).all(|(found, wanted)| holds(found, wanted))
        }
        (found, wanted) => found == wanted,
    }
}
