//! The world, made injectable (layer 1): clock, randomness, queues, files, tasks, shutdown.
//!
//! Owns the only readers of time, of random numbers and of the file system, and the only spawners of threads and tasks.
//! Refuses to own meaning: nothing here knows what is queued, read or run.

pub mod clock;
pub mod files;
pub mod queue;
pub mod rng;
pub mod shutdown;
pub mod supervise;
