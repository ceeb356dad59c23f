//! How the story is told: on the terminal as it happens, as JSON lines for a program, and into a transcript.
//!
//! Owns time stamps and layout. Refuses to own what happens.

use std::cell::RefCell;

use serde_json::json;

use crate::cli::console::say;
use crate::runtime::clock::Clock;

/// Tells steps as they happen.
pub(super) struct Teller {
    clock: Clock,
    began_ns: u64,
    json: bool,
    transcript: RefCell<String>,
}

/// Where the details of a step begin.
const INDENT: &str = "                    ";

impl Teller {
    pub(super) fn new(clock: Clock, json: bool) -> Self {
        let began_ns = clock.monotonic_ns();
        Self { clock, began_ns, json, transcript: RefCell::default() }
    }

    pub(super) fn elapsed_ms(&self) -> u64 {
        (self.clock.monotonic_ns() - self.began_ns) / 1_000_000
    }

    /// A step that was seen to be done: its name, what happened in a sentence, and details line by line.
    pub(super) fn step(&self, name: &str, sentence: &str, details: &[String]) {
        let elapsed_ms = self.elapsed_ms();
        if self.json {
            let line = json!({
                "elapsed_ms": elapsed_ms, "step": name, "text": sentence, "details": details,
            });
            self.tell(&format!("{line}\n"));
            return;
        }
        let seconds = format!("{}.{}", elapsed_ms / 1_000, elapsed_ms % 1_000 / 100);
        let mut text = format!("\n{seconds:>6} s  {name:<10}  {sentence}\n");
        for line in details {
            text.push_str(if line.is_empty() { "" } else { INDENT });
            text.push_str(line);
            text.push('\n');
        }
        self.tell(&text);
    }

    /// What belongs to no step; left out of JSON.
    pub(super) fn aside(&self, text: &str) {
        if !self.json {
            self.tell(&format!("{text}\n"));
        }
    }

    /// Everything told so far.
    pub(super) fn transcript(&self) -> String {
        self.transcript.borrow().clone()
    }

    fn tell(&self, text: &str) {
        say(text);
        self.transcript.borrow_mut().push_str(text);
    }
}
