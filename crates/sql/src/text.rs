//! Texts in quotes.

/// What a text in single quotes says.
pub(crate) fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('\'').unwrap_or(text);
    inner.strip_suffix('\'').unwrap_or(inner).replace("''", "'")
}

/// The candidate that `word` is most likely a slip of, if one is near enough.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let limit = if word.len() < 5 { 1 } else { 2 };
    let near = candidates.into_iter().map(|it| (strsim::damerau_levenshtein(word, it), it));
    near.filter(|(edits, _)| *edits <= limit).min().map(|(_, candidate)| candidate)
}
