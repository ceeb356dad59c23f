//! The story, step by step. A step ends when the admin API, asked like any other instance's, shows that it has happened.
//!
//! Owns the order of the steps, their limits and their words. Refuses to own the actors (`scene`).

use std::time::Duration;

use serde_json::{Value, json};

use super::scene::Scene;
use super::teller::Teller;
use super::traffic::{CONSUMERS, Pace};
use super::words::{excerpt, operations, shape};
use crate::cli::remote::{Failure, Remote, with_query};

/// Where the break will be.
const BROKEN: (&str, &str) = ("GET", "total");
/// Exchanges that the story wants in all, and of the operation that will break: beyond 299 without exception an assertion is
/// *firm*.
const EXCHANGES: u64 = 2_000;
const EXCHANGES_OF_BROKEN: u64 = 320;

/// Why the story ended early.
pub(super) enum Cut {
    /// This was not seen in time.
    Missed { step: &'static str, awaited: String },
    /// The admin API did not do what it was asked.
    Failed(Failure),
}

impl From<Failure> for Cut {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Who tells, who acts, and whom to ask.
pub(super) struct Story<'a> {
    pub(super) scene: &'a Scene,
    pub(super) remote: &'a Remote,
    pub(super) teller: &'a Teller,
}

/// Exchanges that the analysis may be behind before the clients slow down.
const BACKLOG: u64 = 100;

/// How often the admin API is asked while a step is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Story<'_> {
    /// Tells it to the end.
    pub(super) fn tell(&self) -> Result<(), Cut> {
        self.up();
        let template = self.learn()?;
        let revision = self.freeze()?;
        let finding = self.deploy(&template)?;
        self.test(&finding)?;
        self.delivered(&finding)?;
        if let Some(broker) = &self.scene.kafka {
            self.relayed(broker)?;
        }
        self.yours(&revision);
        Ok(())
    }

    fn up(&self) {
        let Scene { orders_at, proxy, admin, .. } = self.scene;
        let names: Vec<&str> = CONSUMERS.iter().map(|(name, _)| *name).collect();
        self.teller.step(
            "UP",
            "an orders API, driftgate in front of it, six clients, and a webhook receiver",
            &[
                format!(
                    "API    http://{orders_at}  release 1.0; driftgate has no specification of it"
                ),
                format!("proxy  {proxy}  {} call here", names.join(", ")),
                format!("admin  {admin}"),
            ],
        );
    }

    /// Waits until enough was learned; gives the template of the operation that will break.
    fn learn(&self) -> Result<String, Cut> {
        let awaited = format!("{EXCHANGES} exchanges and {EXCHANGES_OF_BROKEN} of one order");
        let known = self.until("LEARN", &awaited, 40, || {
            let learned = self.keep_step()?;
            let known = self.get("/v1/apis/orders/operations")?;
            let broken = one_order(&known).and_then(|operation| operation["n"].as_u64());
            let is_enough = learned >= EXCHANGES && broken >= Some(EXCHANGES_OF_BROKEN);
            Ok(is_enough.then_some(known))
        })?;
        let template = one_order(&known).and_then(|operation| operation["template"].as_str());
        let template = template.unwrap_or_default().to_owned();
        let learned = self.get("/v1/apis/orders")?["exchanges"]["learned"].as_u64();
        let mut details = operations(&known);
        details.push(String::new());
        let sentence = format!(
            "{} exchanges of six clients became {} operations",
            learned.unwrap_or_default(),
            known["items"].as_array().map_or(0, Vec::len),
        );
        let document = self.document("?live=true&format=json&extensions=true")?;
        details
            .push(format!("what is known of GET {template} (`k of n`: seen in k of n answers):"));
        details.extend(excerpt(&document, &template).into_iter().map(|line| format!("  {line}")));
        details.push(String::new());
        details.push(self.command("spec export orders"));
        self.teller.step("LEARNED", &sentence, &details);
        self.scene.traffic.set_pace(Pace::Steady);
        Ok(template)
    }

    fn freeze(&self) -> Result<String, Cut> {
        let order = json!({ "force": true, "reason": "the demo does not wait for two hours" });
        let frozen = self.remote.post("/v1/apis/orders/baseline/freeze", &order)?;
        let revision = frozen["revision"].as_str().unwrap_or_default().to_owned();
        self.teller.step(
            "FROZEN",
            "what was learned is now the contract that the API is held to",
            &[
                format!("revision {}, {} operations", short(&revision), frozen["operations"]),
                "By hand and forced: by itself driftgate freezes an operation only after two hours of"
                    .to_owned(),
                "traffic, which a demo does not have.".to_owned(),
                self.command("spec freeze orders --force"),
            ],
        );
        Ok(revision)
    }

    /// Release 2.0 breaks a promise; gives the finding.
    fn deploy(&self, template: &str) -> Result<Value, Cut> {
        self.scene.orders.deploy_second_release();
        self.teller.step(
            "DEPLOYED",
            "release 2.0 of the orders API; nobody was told what is new in it",
            &["The clients go on as before, and so does the proxy.".to_owned()],
        );
        let path = with_query("/v1/findings", [("api", Some("orders")), ("state", Some("open"))]);
        let finding =
            self.until("DRIFT", "an open finding of the kind type.changed", 20, || {
                let found = self.get(&path)?;
                let items = found["items"].as_array().into_iter().flatten();
                let is_meant = |finding: &&Value| {
                    finding["kind"] == "type.changed" && finding["operation"]["path"] == template
                };
                Ok(items.clone().find(is_meant).cloned())
            })?;
        self.scene.traffic.set_pace(Pace::Steady);
        let text = |pointer: &str| {
            finding.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut details = vec![
            format!(
                "{} {} → {}, at {}",
                text("/operation/method"),
                text("/operation/path"),
                text("/location/status"),
                text("/location/pointer"),
            ),
            format!("  promised  {}", shape(&finding["expected"])),
            format!("  seen      {}", shape(&finding["observed"])),
            format!(
                "{} of {} answers since the freeze, to {} clients; {} severity, {}; confidence {:.2}",
                finding["statistics"]["k"],
                finding["statistics"]["n"],
                finding["statistics"]["consumers"],
                text("/severity"),
                text("/verdict"),
                finding["confidence"].as_f64().unwrap_or_default(),
            ),
        ];
        let remedy = text("/remedy");
        if !remedy.is_empty() {
            details.push(format!("what to do: {remedy}"));
        }
        details.push(self.command(&format!("findings show {}", text("/id"))));
        self.teller.step("DRIFT", &text("/message"), &details);
        Ok(finding)
    }

    /// The action that the event started: the API is asked itself.
    fn test(&self, finding: &Value) -> Result<(), Cut> {
        let path =
            with_query("/v1/events", [("type", Some("contract.test.*")), ("limit", Some("5"))]);
        let event = self.until("TEST", "the end of the contract test", 30, || {
            let events = self.get(&path)?;
            Ok(events["items"].as_array().and_then(|items| items.last().cloned()))
        })?;
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        let result = &event["data"];
        let path = with_query("/v1/events", [("type", Some("contract.violation.opened"))]);
        let violations = self.get(&path)?;
        let violations = violations["items"].as_array().cloned().unwrap_or_default();
        if kind != "contract.test.failed" || violations.is_empty() {
            let awaited = format!("a failed contract test; it ended as {kind}: {result}");
            return Err(Cut::Missed { step: "TEST", awaited });
        }
        let count = |name: &str| result["counts"][name].as_u64().unwrap_or_default();
        let mut details = vec![
            "The action `verify-contract` waits for contract.drift.opened. It asked the API itself, past the".to_owned(),
            format!(
                "proxy, for what was frozen: {} requests, GET alone; {} operations passed, {} failed.",
                result["requests"],
                count("passed"),
                count("failed"),
            ),
        ];
        for violation in violations.iter().take(3) {
            let data = &violation["data"];
            let text = |name: &str| data[name].as_str().unwrap_or_default();
            details.push(format!(
                "violation: {} {}: {} (reproduced {})",
                text("method"),
                text("template"),
                text("message"),
                text("reproduced"),
            ));
            if data["fingerprint"] == finding["fingerprint"] {
                details.push(format!(
                    "It has the fingerprint of the drift, {}: two witnesses, one finding.",
                    text("fingerprint"),
                ));
            }
        }
        details.push(self.command("events list --type 'contract.*'"));
        let sentence = format!("the drift started a contract test, and it {}", ended(&kind));
        self.teller.step("TESTED", &sentence, &details);
        Ok(())
    }

    /// The receiver has it, believes it, and driftgate knows.
    fn delivered(&self, finding: &Value) -> Result<(), Cut> {
        let awaited = "contract.drift.opened at the receiver, with a signature that fits";
        let received = self.until("DELIVERED", awaited, 15, || {
            let doubted = self.scene.receiver.doubted();
            match doubted.first() {
                Some(why) => {
                    Err(Cut::Missed { step: "DELIVERED", awaited: format!("{awaited}: {why}") })
                }
                None => Ok(self.scene.receiver.verified("contract.drift.opened")),
            }
        })?;
        let id = received.header("webhook-id").unwrap_or_default().to_owned();
        let path = format!("/v1/deliveries/{id}");
        let delivery = self.until("DELIVERED", "the delivery in the state success", 10, || {
            let delivery = self.get(&path)?;
            Ok((delivery["state"] == "success").then_some(delivery))
        })?;
        let mut details = vec!["POST /hooks/driftgate HTTP/1.1".to_owned()];
        for name in ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"] {
            let value = received.header(name).unwrap_or_default();
            details.push(format!("{name}: {value}"));
        }
        details.push(String::new());
        for name in ["type", "id", "source", "subject", "severitytext"] {
            if let Some(value) = received.event[name].as_str() {
                details.push(format!("  {name}: {value}"));
            }
        }
        let data = &received.event["data"];
        details.push(format!("  data.message: {}", data["message"].as_str().unwrap_or_default()));
        details.push(String::new());
        details.push(format!(
            "The receiver checked the signature over all {} bytes with its own copy of the secret.",
            received.bytes
        ));
        let same = data["fingerprint"] == finding["fingerprint"];
        details.push(format!(
            "State {}, attempt {}{}",
            delivery["state"].as_str().unwrap_or_default(),
            delivery["attempts"].as_array().map_or(1, Vec::len).max(1),
            if same { "; the fingerprint is that of the finding above" } else { "" },
        ));
        details.push(self.command(&format!("deliveries show {id}")));
        self.teller.step("DELIVERED", "the webhook was told, and believes it", &details);
        Ok(())
    }

    /// Nothing of the log waits for the broker any more.
    fn relayed(&self, broker: &str) -> Result<(), Cut> {
        let awaited = format!("every event acknowledged by the broker at {broker}");
        let events = self.until("RELAYED", &awaited, 30, || {
            let health = self.get("/v1/health")?;
            let parts = health["parts"].as_array().into_iter().flatten();
            let bus = parts.clone().find(|part| part["name"] == "bus").cloned().unwrap_or_default();
            let is_done = bus["state"] == "ok" && bus["numbers"]["lag_events"] == 0;
            is_done.then(|| self.get("/v1/events?limit=250")).transpose()
        })?;
        let kinds = events["items"].as_array().into_iter().flatten();
        let mut details: Vec<String> = kinds
            .rev()
            .map(|event| format!("  {}", event["type"].as_str().unwrap_or_default()))
            .collect();
        details
            .push(format!("$ kcat -b {broker} -t driftgate-demo.events -C -e -f '%k %h\\n%s\\n'"));
        let sentence =
            format!("the broker at {broker} has every event, in topic driftgate-demo.events");
        self.teller.step("RELAYED", &sentence, &details);
        Ok(())
    }

    fn yours(&self, revision: &str) {
        let path = &self.scene.folder.path;
        let mut details = Vec::new();
        if self.scene.folder.is_kept {
            details.push(format!("The specification: {}", path.join("openapi.yaml").display()));
            details.push(format!(
                "To go on with this one:  driftgate run --config {}",
                path.join("driftgate.yaml").display()
            ));
        } else {
            details.push(format!(
                "The specification, revision {}, is at {}/v1/apis/orders/spec",
                short(revision),
                self.scene.admin
            ));
            details.push(
                "for as long as the demo runs; `driftgate demo --keep DIR` leaves it there."
                    .to_owned(),
            );
        }
        details.push(String::new());
        details.push("Put it in front of your own API:".to_owned());
        details.push(
            "  driftgate run --upstream http://127.0.0.1:3000 --listen 127.0.0.1:8080".to_owned(),
        );
        details.push("and call http://127.0.0.1:8080 where you called the API. Then:".to_owned());
        details.push("  driftgate spec export api        what it has learned so far".to_owned());
        details.push(
            "  driftgate init                   a configuration file to begin with".to_owned(),
        );
        self.teller.step("YOURS", "that was driftgate", &details);
    }

    /// Asks again and again until there is an answer, for at most `seconds`.
    fn until<T>(
        &self,
        step: &'static str,
        awaited: &str,
        seconds: u64,
        mut look: impl FnMut() -> Result<Option<T>, Cut>,
    ) -> Result<T, Cut> {
        let deadline = self.teller.elapsed_ms() + seconds * 1_000;
        loop {
            if let Some(found) = look()? {
                return Ok(found);
            }
            if self.teller.elapsed_ms() > deadline {
                let awaited = format!("{awaited}, within {seconds} s");
                return Err(Cut::Missed { step, awaited });
            }
            self.remote.pause(LOOK_EVERY);
        }
    }

    /// Lets the clients go briskly as long as the analysis follows them; gives how many exchanges it has learned from. On a
    /// busy machine an overload would be handled too (bodies would be shed), but that is another story.
    fn keep_step(&self) -> Result<u64, Cut> {
        let api = self.get("/v1/apis/orders")?;
        let count = |name: &str| api["exchanges"][name].as_u64().unwrap_or_default();
        let behind = self.scene.traffic.sent().saturating_sub(count("seen"));
        self.scene.traffic.set_pace(if behind < BACKLOG { Pace::Brisk } else { Pace::Steady });
        Ok(count("learned"))
    }

    fn get(&self, path: &str) -> Result<Value, Cut> {
        Ok(self.remote.get(path)?)
    }

    fn document(&self, query: &str) -> Result<Value, Cut> {
        self.get(&format!("/v1/apis/orders/spec{query}"))
    }

    /// The same from another terminal.
    fn command(&self, words: &str) -> String {
        format!(
            "$ driftgate {words} --config {}",
            self.scene.folder.path.join("driftgate.yaml").display()
        )
    }
}

/// The operation that shows one order.
fn one_order(known: &Value) -> Option<&Value> {
    known["items"].as_array()?.iter().find(|operation| {
        let template = operation["template"].as_str().unwrap_or_default();
        operation["method"] == BROKEN.0 && template.starts_with("/orders/{")
    })
}

/// `sha256:` and the first digits.
fn short(revision: &str) -> &str {
    revision.get(.."sha256:".len() + 12).unwrap_or(revision)
}

fn ended(kind: &str) -> &str {
    kind.rsplit('.').next().unwrap_or(kind)
}
