//! What somebody may have meant.

/// The candidate that takes the fewest edits to become `word`; the first of several. `None` if all
/// are too different to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let few = 1 + word.chars().count() / 4;
    let counted = candidates.into_iter().map(|candidate| (edits(candidate, word), candidate));
    let (_, nearest) =
        counted.filter(|(edits, _)| *edits <= few).min_by_key(|(edits, _)| *edits)?;
    Some(nearest)
}

/// How many letters must be inserted, removed or replaced to turn `from` into `to`.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // For the part of `from` that was read: the edits that turn it into each prefix of `to`.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for letter in from.chars() {
        let mut next = vec![row[0] + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = row[column] + usize::from(letter != *other);
            let removed = row[column + 1] + 1;
            let inserted = next[column] + 1;
            next.push(replaced.min(removed).min(inserted));
        }
        row = next;
    }
    row[to.len()]
}
