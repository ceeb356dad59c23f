//! Media types of two bodies: which entry speaks for which.

use super::super::super::specification::Content;

/// The entry that speaks for a media type: exact with parameters, essence, `type/*`, `*/*`.
pub(super) fn effective<'d>(
    content: &'d [Content],
    wanted: &Content,
) -> Option<(&'d Content, bool)> {
    let essence = wanted.media.media.essence();
    let kind = essence.split('/').next().unwrap_or_default();
    let exact = content.iter().find(|entry| {
        entry.media.media.essence() == essence
            && entry.media.media.parameters() == wanted.media.media.parameters()
    });
    let of = |text: &str| content.iter().find(|entry| entry.media.media.essence() == text);
    let exact = exact.or_else(|| of(essence));
    exact.map(|entry| (entry, true)).or_else(|| {
        let wider = of(&format!("{kind}/*")).or_else(|| of("*/*"));
        wider.map(|entry| (entry, false))
    })
}

/// Whether a media type names more than one.
pub(super) fn is_range(content: &Content) -> bool {
    content.media.media.essence().contains('*')
}
