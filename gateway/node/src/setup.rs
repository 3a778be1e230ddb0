//! Making a node: its folder, keys, certificate or request, purpose register, configuration and database.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use exchange::{agreement::Standing, random::Random};
use jiff::Timestamp;

use crate::{
    assets,
    certificate::{self, Subject, TrialAuthority},
    config::{self, Config},
    keys,
    node::{self, Node},
};

mod named_files;

/// The explanation of every setting, beside the settings: the program may be all there is of it on this machine.
const EXAMPLE: &str = "schakel.voorbeeld.toml";
const EXAMPLE_TEXT: &str = include_str!("../../../config/schakel.voorbeeld.toml");
/// An agreement to write one's own after.
const AGREEMENT: &str = "convenant.voorbeeld.json";
const AGREEMENT_TEXT: &str = include_str!("../../../config/convenant.voorbeeld.json");
/// A consent to record one's own after.
const CONSENT: &str = "toestemming.voorbeeld.json";
const CONSENT_TEXT: &str = include_str!("../../../config/toestemming.voorbeeld.json");
const REQUEST: &str = "tls/aanvraag.csr";
const AUTHORITY_CERTIFICATE: &str = "proefautoriteit.pem";
const AUTHORITY_KEY: &str = "proefautoriteit.key";

/// Makes the node that `config` describes in `folder`. With an authority it gets a certificate at once; without, a
/// request for one.
pub async fn create(
    folder: &Path,
    config: &Config,
    authority: Option<&TrialAuthority>,
    now: Timestamp,
    random: Arc<dyn Random>,
) -> anyhow::Result<()> {
    if folder.join(config::FILE).exists() {
        bail!("in {} staat al een knooppunt; kies een andere map", folder.display());
    }
    let keys_folder = folder.join(&config.opslag.sleutels);
    if fs::read_dir(&keys_folder).is_ok_and(|mut files| files.next().is_some()) {
        bail!(
            "in {} staan al sleutels, waarschijnlijk van een eerdere poging die niet lukte. Kies een andere map, of verwijder deze als u zeker weet dat er geen berichten bij horen.",
            keys_folder.display()
        );
    }
    config.check().map_err(anyhow::Error::msg)?;
    let host = config.netwerk.host().map_err(anyhow::Error::msg)?;
    let subject = Subject { oin: config.organisatie.oin, name: &config.organisatie.naam, host };
    for part in ["tls", "doelen", "koppelingen"] {
        make_folder(&folder.join(part))?;
    }
    for (name, text) in assets::PURPOSES {
        write(&folder.join("doelen").join(name), text)?;
    }
    for (name, text) in assets::MAPPINGS {
        write(&folder.join("koppelingen").join(name), text)?;
    }
    write(&folder.join(EXAMPLE), EXAMPLE_TEXT)?;
    write(&folder.join(AGREEMENT), AGREEMENT_TEXT)?;
    write(&folder.join(CONSENT), CONSENT_TEXT)?;
    keys::create(&keys_folder, &*random)?;
    let (path, pair) = match authority {
        Some(authority) => {
            write(&folder.join(&config.tls.vertrouwensankers), authority.certificate())?;
            (folder.join(&config.tls.certificaat), authority.issue(subject, now, &*random)?)
        }
        None => (folder.join(REQUEST), certificate::request(subject)?),
    };
    write(&path, &pair.public)?;
    keys::write_private(&folder.join(&config.tls.sleutel), &pair.private)?;
    node::create_store(folder, config, random, now).await?;
    // Last, so that a folder with a configuration is a whole node.
    write_config(folder, config)
}

/// Writes the configuration of the node in `folder`.
pub fn write_config(folder: &Path, config: &Config) -> anyhow::Result<()> {
    write(&folder.join(config::FILE), &config_text(config)?)
}

/// Checks what a node needs to serve with, before a partner finds out that it does not fit: a key of its own, a
/// certificate of this organisation that is still valid, the log key that the agreements name, and the files that the
/// configuration names.
pub fn check_before_serving(node: &Node) -> anyhow::Result<()> {
    let tls = &node.config.tls;
    keys::check_private(&node.folder.join(&tls.sleutel))?;
    let (own, now) = (node.tls.own(), node.core.now());
    let certificate = node.folder.join(&tls.certificaat);
    if own.oin != node.core.me {
        bail!(
            "het certificaat {} is van organisatie {}, maar dit knooppunt is van {}. Zet het certificaat van deze organisatie daar neer, of verbeter `oin` in {}.",
            certificate.display(),
            own.oin,
            node.core.me,
            config::FILE
        );
    }
    if own.not_after < now.as_second() {
        bail!(
            "het certificaat {} is verlopen. Vraag bij uw certificaatautoriteit een nieuw aan en zet het daar neer, met de sleutel in {}.",
            certificate.display(),
            tls.sleutel.display()
        );
    }
    check_log_key(node)?;
    named_files::check(node)
}

/// Says that the certificate of a new node has yet to come, when that is so.
pub fn check_signed(folder: &Path, config: &Config) -> anyhow::Result<()> {
    let (certificate, request) = (folder.join(&config.tls.certificaat), request_path(folder));
    if !certificate.exists() && request.exists() {
        bail!(
            "het certificaat {} is er nog niet. Laat {} ondertekenen door de certificaatautoriteit van uw groep, en zet het certificaat dat u terugkrijgt daar neer en de certificaten van de autoriteit in {}.",
            certificate.display(),
            request.display(),
            folder.join(&config.tls.vertrouwensankers).display()
        );
    }
    Ok(())
}

/// Checks that the log key is the one that the agreements in force name: a checkpoint by another says nothing.
pub fn check_log_key(node: &Node) -> anyhow::Result<()> {
    let (party, now) = (node.party(), node.core.now());
    for agreement in node.core.rules().agreements() {
        let named = agreement.party(node.core.me).filter(|_| agreement.standing(now) == Standing::InForce);
        if named.is_some_and(|named| named.logsleutel != party.logsleutel) {
            bail!(
                "convenant {} noemt een andere logsleutel dan dit knooppunt heeft; partners zouden geen ontvangstbewijs aannemen. Zet de reservekopie van {} terug.",
                agreement.digest(),
                node.folder.join(&node.config.opslag.sleutels).display()
            );
        }
    }
    Ok(())
}

/// Where the certificate request of a node stands.
pub fn request_path(folder: &Path) -> PathBuf {
    folder.join(REQUEST)
}

/// The authority for trying out in `folder`; made there when there is none.
pub fn trial_authority(folder: &Path, now: Timestamp, random: &dyn Random) -> anyhow::Result<TrialAuthority> {
    let (certificate, key) = (folder.join(AUTHORITY_CERTIFICATE), folder.join(AUTHORITY_KEY));
    if certificate.exists() {
        let read = |path: &Path| {
            fs::read_to_string(path).with_context(|| format!("{} is niet te lezen", path.display()))
        };
        return Ok(TrialAuthority::load(&read(&certificate)?, &read(&key)?)?);
    }
    make_folder(folder)?;
    let authority = TrialAuthority::create("Schakel proefautoriteit", now, random)?;
    keys::write_private(&key, &authority.private_key())?;
    write(&certificate, authority.certificate())?;
    Ok(authority)
}

fn config_text(config: &Config) -> anyhow::Result<String> {
    Ok(format!(
        "# De instellingen van dit knooppunt. Alle sleutels staan uitgelegd in {EXAMPLE}, hiernaast.\n\n{}",
        toml::to_string(config)?
    ))
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("de map {} is niet te maken", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("{} is niet te schrijven", path.display()))
}
