//! What somebody may have meant: of the names of examples or exercises, or of any words.

use crate::Error;

/// The one of `names` that `word` means: a number, a name, or how a part of it begins. If there is
/// none, or there are several, the error calls such a thing a `kind`, and says what lists them.
pub fn find(kind: &str, list: &str, word: &str, names: &[String]) -> Result<String, Error> {
    match &matching(word, names)[..] {
        [name] => Ok(name.to_string()),
        [] => Err(Error::Usage(match nearest_name(word, names) {
            Some(name) => format!("no {kind} `{word}`: did you mean `{name}`?"),
            None => {
                format!("no {kind} `{word}`: `cargo run -- {list}` shows those that there are")
            }
        })),
        several => {
            let several = several.join(", ");
            Err(Error::Usage(format!("`{word}` may be {several}: which one?")))
        }
    }
}

/// The name that `word` comes closest to, if it comes close to any.
pub fn guess(word: &str, names: &[String]) -> Option<String> {
    match &matching(word, names)[..] {
        [name] => Some(name.to_string()),
        _ => nearest_name(word, names).map(str::to_string),
    }
}

/// All names that may be meant: by number if the word is one, else by how the name or one of the
/// words in it begins.
pub fn matching<'a>(word: &str, names: &'a [String]) -> Vec<&'a str> {
    let names = names.iter().map(String::as_str);
    match word.parse::<u32>() {
        Ok(wanted) => names.filter(|name| number(name) == Some(wanted)).collect(),
        Err(_) => {
            let later = format!("_{word}");
            names.filter(|name| name.starts_with(word) || name.contains(&later)).collect()
        }
    }
}

/// The name with a part that is spelled almost like `word`.
fn nearest_name<'a>(word: &str, names: &'a [String]) -> Option<&'a str> {
    let parts = |name: &'a String| {
        let title = name.split_once('_').map_or("", |(_, title)| title);
        [name, title].into_iter().chain(title.split('_'))
    };
    let part = nearest(word, names.iter().flat_map(parts))?;
    names.iter().map(String::as_str).find(|name| name.contains(part))
}

/// `17_sleep` is number 17.
fn number(name: &str) -> Option<u32> {
    name.split_once('_')?.0.parse().ok()
}

/// The candidate that takes the fewest edits to become `word`; the first of several. `None` if all
/// are too different to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() {
        return None;
    }
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
