//! `driftgate demo`: a real API behind the proxy, traffic, a release that breaks its promise, and who is told.
//!
//! Owns the story and everything in it that is not driftgate: the orders API, its clients, the receiver. driftgate itself is
//! the same `app` as in `driftgate run`, on a configuration in a temporary folder, and is asked over its admin API like any
//! other instance.

mod orders;
mod part;
mod receiver;
mod scene;
mod serve;
mod story;
mod teller;
mod traffic;
mod words;

use std::path::PathBuf;

use anyhow::Result;

use super::console::{is_terminal, tell};
use super::remote::{self, Answer, Connection, Failure, Remote};
use crate::runtime::clock::Clock;
use scene::Scene;
use story::{Cut, Story};
use teller::Teller;
use traffic::Pace;

/// Watch it work: a real API behind the proxy, traffic, a release that breaks its promise
///
/// Starts an orders API, six clients and a webhook receiver on loopback, and driftgate between them; nothing leaves this
/// machine, and nothing is left behind. On a terminal it stays after the story, at twenty exchanges a second, until Ctrl-C.
///
/// Exit codes: 0 the story was told to its end, 1 a step was not seen in time, 2 it could not start,
/// 3 it was interrupted.
///
/// Examples:
///   driftgate demo
///   driftgate demo --once --keep demo-folder
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// End with the story, also on a terminal
    #[arg(long)]
    once: bool,
    /// Leave configuration, data, specification, events and transcript in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// What the shop sells and the clients do is drawn from this number
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Relay the events to this Kafka broker too
    #[arg(long, value_name = "HOST:PORT")]
    kafka: Option<String>,
    #[command(flatten)]
    direction: part::Direction,
}

pub(super) fn run(arguments: &Arguments, json: bool) -> u8 {
    match arguments.direction.part {
        Some(part) => part::play(part, &arguments.direction, arguments.seed),
        None => tell_story(arguments, json),
    }
}

fn tell_story(arguments: &Arguments, json: bool) -> u8 {
    let clock = Clock::real();
    let teller = Teller::new(clock.clone(), json);
    teller.aside("driftgate demo: everything on 127.0.0.1, nothing leaves this machine");
    let scene = match Scene::set(arguments, &clock) {
        Ok(scene) => scene,
        Err(error) => {
            tell(&format!("error[demo.not-started]: {error:#}"));
            return 2;
        }
    };
    let connection = Connection { server: Some(scene.admin.clone()), ..Connection::default() };
    let config = scene.folder.path.join("driftgate.yaml");
    let code = remote::run(&connection, Some(&config), |remote| {
        let told = Story { scene: &scene, remote, teller: &teller }.tell();
        let answer = match told {
            Ok(()) => Answer::Yes,
            Err(Cut::Failed(failure)) => return Err(failure),
            Err(Cut::Missed { step, awaited }) => {
                tell(&format!("error[demo.missed]: {step}: did not see {awaited}"));
                Answer::No
            }
        };
        if scene.folder.is_kept {
            keep(&scene, remote, &teller)?;
        }
        if answer == Answer::Yes && !arguments.once && is_terminal() {
            stay(&scene, &teller);
        }
        Ok(answer)
    });
    scene.traffic.set_pace(Pace::Stopped);
    scene.strike();
    code
}

/// Writes down what there is to take home.
fn keep(scene: &Scene, remote: &Remote, teller: &Teller) -> Result<(), Failure> {
    let write = |name: &str, text: &str| {
        scene.folder.write(name, text).map_err(|error| Failure::Unusable(format!("{error:#}")))
    };
    let document = remote.call(http::Method::GET, "/v1/apis/orders/spec?live=true", None)?;
    write("openapi.yaml", &String::from_utf8_lossy(&document.body))?;
    let events = remote.get("/v1/events?limit=250")?;
    let events = events["items"].as_array().into_iter().flatten().rev();
    write("events.ndjson", &events.map(|event| format!("{event}\n")).collect::<String>())?;
    write("transcript.txt", &teller.transcript())
}

/// Goes on at a walking pace until Ctrl-C, so that one can look around.
fn stay(scene: &Scene, teller: &Teller) {
    teller.aside("\nIt goes on at twenty exchanges a second; look around from another terminal. Ctrl-C ends it.");
    scene.until_interrupted();
}

/// RFC 3339, UTC, milliseconds.
fn now(clock: &Clock) -> String {
    jiff::Timestamp::from_millisecond(clock.now_ms())
        .map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}
