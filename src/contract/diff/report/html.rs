//! One page that is read without script and loads nothing from anywhere.

use super::{View, markup, message, operation, place, verdict};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222;\
background:#fff}h1{font-size:1.3rem}article{border-left:4px solid #999;padding:.2rem 1rem;margin:1rem 0}\
.breaking{border-color:#c22}.potentially-breaking{border-color:#c80}.compatible{border-color:#393}\
code,pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}small{color:#666}\
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}small{color:#aaa}}";

pub(super) fn render(view: &View<'_>) -> String {
    let title = format!("{} → {}", escaped(&view.old.name), escaped(&view.new.name));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{}</p>\n",
        escaped(&verdict(view))
    );
    for group in view.groups() {
        let change = group.first();
        let (hurt, remedy) = change.advice();
        page.push_str(&format!(
            "<article class=\"{}\"><p><strong>{}</strong> {} <small>{}</small></p>\n",
            change.verdict.as_str(),
            escaped(change.verdict.as_str()),
            escaped(&change.text),
            escaped(&message(change)),
        ));
        let operations = group.operations();
        let named: Vec<String> = operations.iter().map(|name| escaped(name)).collect();
        let listed =
            if named.is_empty() { escaped(&operation(change)) } else { named.join("<br>") };
        page.push_str(&format!(
            "<details><summary>{} operation(s)</summary><p>{listed}</p></details>\n<p><small>{} \
             · {} · {}</small></p>\n",
            operations.len(),
            escaped(&place(view, change)),
            escaped(&change.label),
            change.fingerprint,
        ));
        if let Some(witness) = &change.witness {
            page.push_str(&format!("<pre>{}</pre>\n", escaped(&witness.to_string())));
        }
        if let Some(reason) = &change.reason {
            page.push_str(&format!("<p>Not decided: {}.</p>\n", escaped(reason)));
        }
        page.push_str(&format!("<p>Who is hurt: {hurt}. What to do: {remedy}.</p></article>\n"));
    }
    if view.report.truncated > 0 {
        page.push_str(&format!("<p>{} more changes are not listed.</p>\n", view.report.truncated));
    }
    page.push_str("</body></html>\n");
    page
}

fn escaped(text: &str) -> String {
    markup::escaped(text, |letter, out| match letter {
        '\n' | '\t' => out.push(letter),
        letter if letter.is_control() => out.push('\u{fffd}'),
        letter => out.push(letter),
    })
}
