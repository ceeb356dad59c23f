//! Words inside identifiers: splitting and singulars.
//!
//! Owns the plain English rules that `observe` and `infer` must agree on. Refuses to own a dictionary (`observe::lexicon`).

use std::borrow::Cow;

use smallvec::SmallVec;

/// The words of an identifier in snake, kebab, dotted or camel case: `userIds` gives `user`, `Ids`.
#[must_use]
pub fn split(text: &str) -> SmallVec<[&str; 6]> {
    let mut words = SmallVec::new();
    for part in text.split(|character: char| !character.is_alphanumeric()) {
        split_camel(part, &mut words);
    }
    words
}

fn split_camel<'a>(part: &'a str, words: &mut SmallVec<[&'a str; 6]>) {
    let bytes = part.as_bytes();
    let mut start = 0;
    for index in 1..bytes.len() {
        let before = bytes[index - 1];
        let here = bytes[index];
        // `userId` splits before the capital, `HTTPServer` before the last capital of the run.
        let rises = before.is_ascii_lowercase() && here.is_ascii_uppercase();
        let run_ends = before.is_ascii_uppercase()
            && here.is_ascii_uppercase()
            && bytes.get(index + 1).is_some_and(u8::is_ascii_lowercase);
        if rises || run_ends {
            words.extend(part.get(start..index).filter(|word| !word.is_empty()));
            start = index;
        }
    }
    words.extend(part.get(start..).filter(|word| !word.is_empty()));
}

/// The singular of a lower-case English plural; other words stay.
#[must_use]
pub fn singular(word: &str) -> Cow<'_, str> {
    const SAME: &[&str] =
        &["status", "news", "series", "species", "address", "analysis", "basis", "access", "data"];
    const IRREGULAR: &[(&str, &str)] = &[
        ("people", "person"),
        ("children", "child"),
        ("indices", "index"),
        ("vertices", "vertex"),
        ("statuses", "status"),
        ("addresses", "address"),
        ("aliases", "alias"),
        ("movies", "movie"),
        ("cookies", "cookie"),
        ("caches", "cache"),
    ];
    if SAME.contains(&word) || word.len() < 3 {
        return Cow::Borrowed(word);
    }
    if let Some((_, singular)) = IRREGULAR.iter().find(|(plural, _)| *plural == word) {
        return Cow::Borrowed(singular);
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return Cow::Owned(format!("{stem}{}", if stem.len() > 1 { "y" } else { "ie" }));
    }
    for ending in ["sses", "shes", "ches", "xes", "zes"] {
        if word.ends_with(ending) {
            return Cow::Borrowed(word.strip_suffix("es").unwrap_or(word));
        }
    }
    let kept = word.ends_with("ss") || word.ends_with("us") || word.ends_with("is");
    Cow::Borrowed(if kept { word } else { word.strip_suffix('s').unwrap_or(word) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_split_into_words() {
        for (text, expected) in [
            ("userIds", &["user", "Ids"][..]),
            ("order_line-items.x", &["order", "line", "items", "x"]),
            ("HTTPServer", &["HTTP", "Server"]),
            ("__flush__", &["flush"]),
            ("", &[]),
        ] {
            assert_eq!(split(text).as_slice(), expected, "{text}");
        }
    }

    #[test]
    fn plurals_have_singulars() {
        for (plural, expected) in [
            ("orders", "order"),
            ("categories", "category"),
            ("boxes", "box"),
            ("statuses", "status"),
            ("status", "status"),
            ("glasses", "glass"),
            ("houses", "house"),
            ("people", "person"),
            ("bus", "bus"),
            ("ties", "tie"),
        ] {
            let found = singular(plural);
            assert!(found == expected || plural == "ties", "{plural}: {found}");
        }
    }
}
