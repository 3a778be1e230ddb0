use super::*;

const EXAMPLE: &str = include_str!("../../../../config/schakel.voorbeeld.toml");

#[test]
fn the_annotated_example_is_a_configuration() {
    let config = Config::parse(EXAMPLE).unwrap();
    assert_eq!(config.organisatie.soort, OrganisationKind::HousingCorporation);
    assert_eq!(config.koppelingen[0].naam, "achterstanden");
    assert_eq!(config.loketten[0].loket, "incasso");
}

#[test]
fn the_example_states_the_defaults() {
    let config = Config::parse(EXAMPLE).unwrap();
    assert_eq!(config.tls.certificaat, Tls::default().certificaat);
    assert_eq!(config.opslag.bestand, Storage::default().bestand);
    assert_eq!(config.opslag.sleutels, Storage::default().sleutels);
}

/// What was dropped is kept in plain text: for a short while, whether or not somebody says how long.
#[test]
fn results_of_a_connection_stay_a_short_while() {
    let days = |text: &str| {
        Config::parse(text)
            .map(|config| (config.koppelingen[0].klaar_dagen, config.koppelingen[0].fout_dagen))
    };
    assert_eq!(days(EXAMPLE), Ok((7, 30)));
    let without = EXAMPLE.replace("klaar_dagen = 7\n", "").replace("fout_dagen = 30\n", "");
    assert_ne!(without, EXAMPLE);
    assert_eq!(days(&without), Ok((7, 30)));
    assert_eq!(days(&EXAMPLE.replace("klaar_dagen = 7", "klaar_dagen = 0")), Ok((0, 30)));
    for (right, wrong) in [("klaar_dagen = 7", "klaar_dagen = 367"), ("fout_dagen = 30", "fout_dagen = 0")] {
        let message = days(&EXAMPLE.replace(right, wrong)).unwrap_err();
        assert!(message.contains(right.split_once(' ').unwrap().0) && message.contains("366"), "{message}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let wrong = EXAMPLE.replace("quic = false", "quick = false");
    let message = Config::parse(&wrong).unwrap_err();
    let line = EXAMPLE.lines().position(|line| line == "quic = false").unwrap() + 1;
    assert!(message.contains(&format!("regel {line}, kolom 1")), "{message}");
    assert!(message.contains("de sleutel `quick` bestaat niet; hier kan: luister, adres, quic"), "{message}");
}

#[test]
fn a_wrong_oin_or_kind_is_refused() {
    for (right, wrong) in [("00000099000000002000", "99"), ("\"woningcorporatie\"", "\"dorp\"")] {
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

#[test]
fn mistakes_are_told_in_dutch() {
    for (right, wrong, expected) in [
        ("quic = false", "quic = \"nee\"", "hier hoort true of false te staan"),
        (
            "naam = \"Woningcorporatie De Sleutel\"",
            "naam = 3",
            "hier hoort tekst tussen aanhalingstekens te staan",
        ),
        ("naam = \"Woningcorporatie De Sleutel\"", "naam = \"\"", "`naam` van de organisatie"),
        ("naam = \"Woningcorporatie De Sleutel\"\n", "", "de sleutel `naam` ontbreekt"),
        ("naam = \"Woningcorporatie De Sleutel\"", "naam = \"a\"\nnaam = \"b\"", "twee keer"),
        ("\"00000099000000002000\"", "\"99\"", "dit is geen OIN"),
        ("\"woningcorporatie\"", "\"dorp\"", "gemeente"),
        ("\"0.0.0.0:8443\"", "\"8443\"", "dit is geen adres om op te luisteren"),
        ("crls = []", "crls = \"x\"", "een lijst"),
        ("quic = false", "quic = ", "regel"),
        ("schakel.desleutel.test:8443", "schakel.desleutel.test", "schrijf HOST:POORT"),
    ] {
        assert!(EXAMPLE.contains(right), "{right}");
        let message = Config::parse(&EXAMPLE.replacen(right, wrong, 1)).unwrap_err();
        assert!(message.contains(expected), "{wrong}: {message}");
        assert!(!message.contains("expected") || message.contains('('), "{wrong}: {message}");
    }
}

#[test]
fn the_host_is_a_name_or_an_address() {
    let host = |adres: &str| {
        Network { luister: "0.0.0.0:1".parse().unwrap(), adres: adres.into(), quic: false }
            .host()
            .map(str::to_owned)
    };
    for (adres, expected) in [
        ("a.test:1", "a.test"),
        ("127.0.0.1:8443", "127.0.0.1"),
        ("[::1]:443", "::1"),
        ("localhost:65535", "localhost"),
    ] {
        assert_eq!(host(adres).as_deref(), Ok(expected));
    }
    for adres in
        ["", "a", ":1", "a:", "a:0", "a:65536", "a b:1", "::1:443", "[x]:1", "-a:1", "a..b:1", "http://a:1"]
    {
        assert!(host(adres).is_err(), "{adres}");
    }
}

#[test]
fn what_init_writes_leaves_room_for_connections() {
    let mut config = Config::parse(EXAMPLE).unwrap();
    config.koppelingen.clear();
    config.loketten.clear();
    let connection = EXAMPLE.split_once("[[koppelingen]]").unwrap().1;
    let text = format!("{}\n[[koppelingen]]{connection}", toml::to_string(&config).unwrap());
    assert_eq!(Config::parse(&text).unwrap().koppelingen.len(), 1);
}

/// Records of processings go over TLS, or stay on this machine.
#[test]
fn a_collector_has_an_address_that_can_be_trusted() {
    let with = |line: &str| {
        let plain = EXAMPLE.replace("adres = \"https://logboek.desleutel.test:4318\"", line);
        assert_ne!(plain, EXAMPLE, "{line}");
        Config::parse(&plain)
    };
    for good in [
        "https://logboek.test",
        "https://logboek.test/v1/traces",
        "http://127.0.0.1:4318",
        "http://[::1]:4318",
    ] {
        with(&format!("adres = \"{good}\"")).unwrap();
    }
    for bad in [
        "logboek.test:4318",
        "http://logboek.test:4318",
        "ftp://127.0.0.1",
        "https://ik:geheim@logboek.test",
        "",
    ] {
        let said = with(&format!("adres = \"{bad}\"")).unwrap_err();
        assert!(said.contains("[dataverwerkingen]") && !said.contains("geheim"), "{said}");
    }
}

/// A webhook goes over TLS, or stays on this machine when that is said; and names what there is.
#[test]
fn a_webhook_has_an_address_that_can_be_trusted() {
    let with = |address: &str, more: &str| {
        Config::parse(&format!(
            "{EXAMPLE}\n[[api.webhooks]]\nnaam = \"nog-een\"\nadres = {address:?}\ngeheim = \"x\"\n{more}\n"
        ))
    };
    with("https://zaken.test/schakel", "").unwrap();
    with("http://127.0.0.1:9000", "intern = true").unwrap();
    for (address, more, expected) in [
        ("http://127.0.0.1:9000", "", "https://"),
        ("https://ik:geheim@zaken.test", "", "https://"),
        ("zaken.test", "", "https://"),
        ("https://zaken.test", "gebeurtenissen = []", "bericht.toegelaten"),
        ("https://zaken.test", "gebeurtenissen = [\"alles\"]", "bericht.toegelaten"),
        ("https://zaken.test", "pogingen = 0", "pogingen"),
        ("https://zaken.test", "certificaat = \"a.pem\"", "samen"),
        (
            "https://zaken.test",
            "[[api.webhooks]]\nnaam = \"nog-een\"\nadres = \"https://a.test\"\ngeheim = \"x\"",
            "twee keer",
        ),
        (
            "https://zaken.test",
            "[[api.webhooks]]\nnaam = \"Nog Een\"\nadres = \"https://a.test\"\ngeheim = \"x\"",
            "kleine letters",
        ),
    ] {
        let said = with(address, more).unwrap_err();
        assert!(said.contains(expected) && !said.contains("geheim@"), "{said}");
    }
}
