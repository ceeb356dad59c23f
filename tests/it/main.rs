//! The process tests: the real binary, real sockets. One file per behaviour.

mod tidy;
