//! The process tests: the real binary, real sockets. One file per behaviour.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests stand outside of the program: they use files, threads and clocks of their own, and fail by panic"
)]

mod bad_input;
mod crash;
mod drift;
mod fail_open;
mod findings;
mod golden;
mod infer;
mod recordings;
mod replay;
mod resources;
mod schema_suite;
mod shutdown;
mod support;
mod tidy;
