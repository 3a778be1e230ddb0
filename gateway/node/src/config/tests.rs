use super::*;

const EXAMPLE: &str = include_str!("../../../../config/schakel.voorbeeld.toml");

#[test]
fn the_annotated_example_is_a_configuration() {
    let config = Config::parse(EXAMPLE).unwrap();
    assert_eq!(config.organisatie.soort, OrganisationKind::Municipality);
    assert_eq!(config.koppelingen[0].naam, "achterstanden");
    assert_eq!(config.loketten[0].loket, "schuldhulp");
}

#[test]
fn the_example_states_the_defaults() {
    let config = Config::parse(EXAMPLE).unwrap();
    assert_eq!(config.tls.certificaat, Tls::default().certificaat);
    assert_eq!(config.opslag.bestand, Storage::default().bestand);
    assert_eq!(config.opslag.sleutels, Storage::default().sleutels);
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let wrong = EXAMPLE.replace("quic = false", "quick = false");
    let message = Config::parse(&wrong).unwrap_err();
    let line = EXAMPLE.lines().position(|line| line == "quic = false").unwrap() + 1;
    assert!(message.contains(&format!("line {line}")), "{message}");
    assert!(message.contains("quick"), "{message}");
}

#[test]
fn a_wrong_oin_or_kind_is_refused() {
    for (right, wrong) in [("00000099000000001000", "99"), ("\"gemeente\"", "\"dorp\"")] {
        assert!(Config::parse(&EXAMPLE.replace(right, wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn two_connections_cannot_share_a_name() {
    let connection = EXAMPLE.split("[[koppelingen]]").nth(1).unwrap().split("\n# Een loket").next().unwrap();
    let message = Config::parse(&format!("{EXAMPLE}\n[[koppelingen]]{connection}")).unwrap_err();
    assert!(message.contains("achterstanden"), "{message}");
}

#[test]
fn what_init_writes_reads_back() {
    let config = Config::parse(EXAMPLE).unwrap();
    let again = Config::parse(&toml::to_string(&config).unwrap()).unwrap();
    assert_eq!(toml::to_string(&again).unwrap(), toml::to_string(&config).unwrap());
}

#[test]
fn a_folder_without_a_node_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let message = Config::load(folder.path()).unwrap_err().to_string();
    assert!(message.contains("schakel init"), "{message}");
}
