//! The command line (layer 6).
//!
//! Owns one file per subcommand. Refuses to own what the subcommands do.
