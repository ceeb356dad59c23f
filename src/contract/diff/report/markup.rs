//! Names from documents in markup: what would end a text or begin an element is written as an entity.
//!
//! Owns the entities that HTML, XML and Markdown share. What else a format cannot bear is its own to say.

/// A text with its entities. Every other character is given to `keep`.
pub(super) fn escaped(text: &str, keep: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => keep(letter, &mut out),
        }
    }
    out
}
