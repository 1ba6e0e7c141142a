//! A list as the bytes of its objects, piece by piece: what ten thousand pods come to is never in memory a second time.

use std::{convert::Infallible, iter::Enumerate, vec};

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use super::list_metadata;
use crate::{api::List, resources::Resource, storage::Entry};

/// A piece ends with the object that makes it this long.
const PIECE: usize = 64 << 10;

/// A small list is one piece, and its length stands in the answer's head.
pub(super) fn body(list: List) -> Body {
    let mut pieces = Pieces::of(list);
    let first = pieces.next().unwrap_or_default();
    if pieces.is_done {
        return Body::from(first);
    }
    let pieces = std::iter::once(first).chain(pieces).map(Ok::<_, Infallible>);
    Body::from_stream(stream::iter(pieces))
}

struct Pieces {
    resource: &'static Resource,
    head: String,
    entries: Enumerate<vec::IntoIter<Entry>>,
    is_done: bool,
}

impl Pieces {
    fn of(list: List) -> Self {
        let (kind, version) = (list.resource.kind, list.resource.api_version());
        let metadata = list_metadata(&list);
        let head = format!(
            "{{\"kind\":\"{kind}List\",\"apiVersion\":\"{version}\",\"metadata\":{metadata},\"items\":["
        );
        let entries = list.entries.into_iter().enumerate();
        Self { resource: list.resource, head, entries, is_done: false }
    }

    fn write(&self, piece: &mut Vec<u8>, (position, (_, object)): (usize, Entry)) {
        piece.extend_from_slice(if position > 0 { b",{" } else { b"{" });
        if self.resource.alias.is_some() {
            let json = self.resource.render(&self.resource.outward(object.value()));
            piece.extend_from_slice(json.get(self.resource.prefix.len()..).unwrap_or_default());
        } else {
            piece.extend_from_slice(object.item());
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.is_done {
            return None;
        }
        let mut piece = std::mem::take(&mut self.head).into_bytes();
        if piece.is_empty() {
            piece.reserve(PIECE + PIECE / 8);
        }
        while piece.len() < PIECE {
            let Some(entry) = self.entries.next() else {
                self.is_done = true;
                piece.extend_from_slice(b"]}\n");
                break;
            };
            self.write(&mut piece, entry);
        }
        Some(piece.into())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::{resources::Registry, storage::Object};

    fn list_of(count: u64) -> List {
        let resource = Registry::global().core("configmaps");
        let entries = (0..count).map(|one| {
            let name = format!("c-{one}");
            let object = json!({
                "metadata": {"name": name, "namespace": "default"},
                "data": {"text": "x".repeat(1000)},
            });
            let object = Object::new(resource, object, one + 5);
            (Arc::from(format!("default/{name}")), Arc::new(object))
        });
        List {
            resource,
            entries: entries.collect(),
            revision: 7,
            next: String::new(),
            remaining: None,
        }
    }

    #[test]
    fn the_pieces_together_are_the_list() {
        for count in [0, 1, 2, 60, 70, 1000] {
            let pieces: Vec<Bytes> = Pieces::of(list_of(count)).collect();
            let whole: Value = serde_json::from_slice(&pieces.concat()).unwrap();
            assert_eq!(whole["kind"], "ConfigMapList");
            assert_eq!(whole["metadata"]["resourceVersion"], "7");
            let items = whole["items"].as_array().unwrap();
            let names: Vec<_> = items.iter().map(|item| item["metadata"]["name"].clone()).collect();
            let expected: Vec<_> = (0..count).map(|one| json!(format!("c-{one}"))).collect();
            assert_eq!(names, expected);
            assert!(pieces.iter().all(|piece| piece.len() < PIECE + 2000), "{count} objects");
        }
    }
}
