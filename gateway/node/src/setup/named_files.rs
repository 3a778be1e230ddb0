//! The files that the configuration names besides keys and certificates. One that is missing stops the start, and not
//! the first message that needs it.

use anyhow::{Context as _, bail};

use crate::{
    config::{self, Places},
    drop_folders,
    node::Node,
};

/// Checks the purpose register and the mapping of every connection.
pub(super) fn check(node: &Node) -> anyhow::Result<()> {
    let path = node.folder.join(config::FILE);
    // The node was opened with it; when it is gone since, only the lines are unknown.
    let places = std::fs::read_to_string(&path).map(|text| Places::find(&text)).unwrap_or_default();
    let at = |line: Option<usize>| {
        let line = line.map_or_else(String::new, |line| format!("regel {line}: "));
        format!("{}: {line}", path.display())
    };
    let register = node.folder.join(&node.config.opslag.doelen);
    if !register.is_dir() {
        bail!(
            "{}de map van het doelenregister, {}, is er niet. Zet de doelen daar neer, of noem bij `doelen` in [opslag] de map waarin ze staan.",
            at(places.purposes),
            register.display()
        );
    }
    node.purposes().context(
        "een doel in het register is niet bruikbaar. Verbeter het bestand, of haal het weg uit de map",
    )?;
    for (position, connection) in node.config.koppelingen.iter().enumerate() {
        drop_folders::mapping(&node.folder.join(&connection.mapping)).with_context(|| {
            let line = places.mappings.get(position).copied();
            format!("{}de koppeling `{}` heeft geen bruikbare mapping", at(line), connection.naam)
        })?;
    }
    Ok(())
}
