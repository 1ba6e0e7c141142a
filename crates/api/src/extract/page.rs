use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flumen_api_types::Page;
use flumen_model::InvalidValue;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Error;

const DEFAULT: u32 = 100;
const MAX: u32 = 500;

/// Which part of a list is asked for: entries after the one that `after` names.
pub(crate) struct Slice<K> {
    pub(crate) after: Option<K>,
    pub(crate) limit: u32,
}

/// Reads limit and cursor. A cursor is what [`Slice::page`] made, and means nothing to anyone else.
pub(crate) fn slice<K: DeserializeOwned>(
    limit: Option<u32>,
    cursor: Option<&str>,
) -> Result<Slice<K>, Error> {
    let limit = limit.unwrap_or(DEFAULT);
    if !(1..=MAX).contains(&limit) {
        return Err(InvalidValue::new("limit", limit.to_string(), "expected 1 to 500").into());
    }
    let after = cursor.map(decode).transpose()?;
    Ok(Slice { after, limit })
}

fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K, Error> {
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            InvalidValue::new("cursor", cursor, "expected the nextCursor of an earlier answer")
                .into()
        })
}

/// How many entries are looked at in one go.
const BATCH: u32 = 500;

/// Fetches entries from where the slice begins until enough of them are kept, or there are no more.
/// `fetch` gets the key that the batch comes after, and how many entries it may have.
pub(crate) async fn gather<K: Clone + Serialize, T, F>(
    slice: &Slice<K>,
    key: fn(&T) -> K,
    keep: impl Fn(&T) -> bool,
    mut fetch: impl FnMut(Option<K>, u32) -> F,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Vec<T>, flumen_control::Error>>,
{
    let wanted = slice.fetch() as usize;
    let mut found = Vec::new();
    let mut after = slice.after.clone();
    loop {
        let batch = fetch(after, BATCH).await?;
        let is_last = batch.len() < BATCH as usize;
        after = batch.last().map(key);
        found.extend(batch.into_iter().filter(&keep));
        if is_last || found.len() >= wanted {
            found.truncate(wanted);
            return Ok(found);
        }
    }
}

impl<K: Serialize> Slice<K> {
    /// How many entries to ask for: one more than wanted, which says whether there is a next page.
    pub(crate) const fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// The page of at most `limit` of the fetched entries.
    pub(crate) fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let limit = self.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| {
            let text = serde_json::to_vec(&key(last)).unwrap_or_default();
            URL_SAFE_NO_PAD.encode(text)
        });
        Page { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_a_page_leads_to_the_next_one() {
        let first: Slice<u32> = slice(Some(2), None).expect("valid");
        let page = first.page(vec![1_u32, 2, 3], |item| *item);
        assert_eq!(page.items, [1, 2]);
        let next: Slice<u32> = slice(Some(2), page.next_cursor.as_deref()).expect("valid");
        assert_eq!(next.after, Some(2));
        assert_eq!(next.page(vec![3, 4], |item| *item).next_cursor, None);
    }

    #[test]
    fn limits_and_cursors_that_are_none_are_refused() {
        for limit in [0, 501] {
            assert!(slice::<u32>(Some(limit), None).is_err(), "{limit}");
        }
        assert!(slice::<u32>(None, Some("x y")).is_err());
    }
}
