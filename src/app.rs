//! Composition root: configuration to running parts, and their orderly end (layer 6).
