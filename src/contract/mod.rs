//! Is the API what it promised? (layer 2, pure)
//!
//! Owns reading specifications, judging exchanges, counting deviations into findings. Refuses to own any clock, randomness or I/O.
