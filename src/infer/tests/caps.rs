//! Tables with less room than they have, for as long as a test asks for it.

use std::cell::Cell;

thread_local! {
    static FORCED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The room that is forced on all tables of this thread.
pub(in crate::infer) fn forced() -> Option<usize> {
    FORCED.get()
}

/// Does something with so much room in all tables.
pub(super) fn with<T>(room: Option<usize>, work: impl FnOnce() -> T) -> T {
    let before = FORCED.replace(room);
    let done = work();
    FORCED.set(before);
    done
}
