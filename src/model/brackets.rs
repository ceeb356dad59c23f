//! Names with brackets, as queries and forms spell nested values: `filter[price][gte]`, `tags[]`.
//!
//! Owns how such a name comes apart, and what stands in it for a step that is data. Refuses to own what data is
//! (`observe::names`) and what follows for a document (`infer`).

use smallvec::SmallVec;

/// First character of a step that stands for a class of data.
pub const DATA: char = '\0';

/// Deepest nesting that is taken apart; deeper names are names like any other.
const STEPS_MAX: usize = 8;

/// What stands before the brackets, and in each of them; none for a name that is not built so.
#[must_use]
pub fn split(name: &str) -> Option<(&str, SmallVec<[&str; 4]>)> {
    let (base, rest) = name.split_at_checked(name.find('[')?)?;
    let rest = rest.strip_prefix('[')?.strip_suffix(']')?;
    let steps: SmallVec<[&str; 4]> = rest.split("][").collect();
    let sound = !base.is_empty()
        && steps.len() <= STEPS_MAX
        && !steps.iter().any(|step| step.contains(['[', ']']));
    sound.then_some((base, steps))
}

/// The name of steps below a base.
#[must_use]
pub fn join<'a>(base: &str, steps: impl IntoIterator<Item = &'a str>) -> String {
    let mut name = base.to_owned();
    for step in steps {
        name.extend(["[", step, "]"]);
    }
    name
}

/// Whether a name is that of a plain list: `tags[]`.
#[must_use]
pub fn is_list(name: &str) -> bool {
    split(name).is_some_and(|(_, steps)| steps.as_slice() == [""])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_at_their_brackets() {
        for (name, expected) in [
            ("a[b]", Some(("a", &["b"][..]))),
            ("a[b][c]", Some(("a", &["b", "c"]))),
            ("a[]", Some(("a", &[""]))),
            ("a[b][]", Some(("a", &["b", ""]))),
            ("a", None),
            ("[a]", None),
            ("a[b", None),
            ("a[b]c", None),
            ("a[b[c]]", None),
        ] {
            let found = split(name);
            let found = found.as_ref().map(|(base, steps)| (*base, steps.as_slice()));
            assert_eq!(found, expected, "{name}");
            if let Some((base, steps)) = expected {
                assert_eq!(join(base, steps.iter().copied()), name);
            }
        }
        assert!(is_list("a[]") && !is_list("a[b][]") && !is_list("a"));
    }
}
