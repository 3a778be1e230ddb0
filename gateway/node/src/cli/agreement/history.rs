//! `schakel convenant geschiedenis`.

use std::collections::BTreeSet;

use exchange::digest::Digest;

use super::{find, word};
use crate::{
    agreements::{self, history},
    cli::{Ending, Output, dutch_time},
    node::Node,
};

pub(super) async fn show(node: &Node, which: &str, output: Output) -> anyhow::Result<Ending> {
    let rules = node.core.rules();
    let mut digests: Vec<Digest> = rules.versions(which).iter().map(|one| one.digest()).collect();
    if digests.is_empty() {
        digests.push(find(node, which)?);
    }
    let asked: BTreeSet<Digest> = digests.iter().copied().collect();
    let bar = output.progress(Some(0), "logboek");
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let events = history::history(&node.core, &asked, progress).await?;
    bar.finish_and_clear();
    for digest in digests {
        let title = rules.agreement(digest).map(|one| agreements::title(one)).unwrap_or_default();
        output.say(format!("{title} ({})", agreements::start(digest)));
        for event in events.iter().filter(|event| event.convenant == digest) {
            let said = event.gezegd.map_or_else(|| "een onbekend moment".to_owned(), dutch_time);
            output.say(format!(
                "  {:<10} door {}, op {said}",
                word(event.antwoord),
                node.name_of(event.door)
            ));
            output.say(format!(
                "             hier bekend {}, regel {}",
                dutch_time(event.bekend),
                event.regel
            ));
            output.say(format!("             {}", event.bewijs));
        }
    }
    if events.is_empty() {
        output.say("In het logboek staat hier nog geen antwoord op.");
    }
    output.answer(&serde_json::json!({ "antwoorden": events }));
    Ok(Ending::Good)
}
