//! `schakel convenant verschil`.

use anyhow::Context as _;

use super::find;
use crate::{
    agreements::{self, difference},
    cli::{Ending, Output},
    node::Node,
    wording::wrapped,
};

/// How wide a page of text is.
const WIDTH: usize = 80;

pub(super) fn show(node: &Node, old: &str, new: &str, output: Output) -> anyhow::Result<Ending> {
    let rules = node.core.rules();
    let (old, new) = (find(node, old)?, find(node, new)?);
    let known = |digest| rules.agreement(digest).context("dit convenant is intussen vergeten");
    let (before, after) = (known(old)?, known(new)?);
    let found = difference::differences(before, after, &rules);
    output.say(format!("Van {} ({})", agreements::title(before), agreements::start(old)));
    output.say(format!("naar {} ({})", agreements::title(after), agreements::start(new)));
    let mut previous = "";
    for one in &found {
        if previous != one.onderdeel {
            previous = one.onderdeel;
            output.say(format!("\nIn de {previous}"));
        }
        for (number, line) in wrapped(&one.tekst, WIDTH - 4).into_iter().enumerate() {
            output.say(format!("  {} {line}", if number == 0 { '-' } else { ' ' }));
        }
    }
    if found.is_empty() {
        output.say("\nEr is geen verschil in wat is afgesproken.");
    }
    output.answer(&serde_json::json!({ "oud": old, "nieuw": new, "verschillen": found }));
    Ok(Ending::Good)
}
