//! Trouble at the node itself: settings, keys, certificates, database, disk. Each stops what cannot go on, says in
//! Dutch what to do, ends with exit code 3, and once it is mended nothing turns out to be lost.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "what a journey measured is read in its output")]

use std::{
    fs,
    net::TcpListener,
    os::{
        fd::AsRawFd as _,
        unix::fs::{FileExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    process::Command,
};

use exchange::clock::Clock as _;
use jiff::SignedDuration;
use node::{
    certificate::Subject,
    setup,
    system::{SystemClock, SystemRandom},
};
use tests::processes::{
    CORPORATION, MUNICIPALITY, Node, Place, Running, Serving, SmallDisk, Stopwatch, agree, export, schakel,
    until,
};

fn municipality() -> (Place, Node) {
    let place = Place::new();
    let node = place.node("gemeente", MUNICIPALITY, "gemeente");
    (place, node)
}

/// Serving is refused with this in the error, in words and as JSON.
fn refuses(node: &Node, expected: &str) -> String {
    let done = node.try_serve().err().unwrap_or_else(|| panic!("it serves, but: {expected}"));
    let answer = done.json();
    let error = done.refused();
    assert!(error.contains(expected), "{expected}: {error}");
    assert_eq!(answer["fout"], error.as_str());
    error
}

fn serves(node: &Node) {
    node.serve().stop();
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

#[test]
fn a_port_that_is_taken() {
    let (_place, node) = municipality();
    let taken = TcpListener::bind(&node.address).unwrap();
    let error = refuses(&node, "al in gebruik");
    assert!(error.contains(&node.address) && error.contains("luister"), "{error}");
    drop(taken);
    serves(&node);
}

#[test]
fn a_mistake_in_the_settings() {
    let (_place, node) = municipality();
    let path = node.path("schakel.toml");
    let right = fs::read_to_string(&path).unwrap();
    let line = |text: &str| right.lines().position(|line| line.contains(text)).unwrap() + 1;
    for (before, after, at, expected) in [
        ("quic = false", "quik = false", Some("quic"), "de sleutel `quik` bestaat niet"),
        ("quic = false", "quic = \"ja\"", Some("quic"), "hier hoort true of false"),
        (MUNICIPALITY, "12", Some("oin = "), "dit is geen OIN"),
        ("soort = \"gemeente\"", "soort = \"dorp\"", Some("soort"), "gemeente, woningcorporatie"),
        ("luister = \"127.0.0.1", "luister = \"overal", Some("luister"), "IP-ADRES:POORT"),
        ("[tls]", "[tls", Some("[tls]"), "regel"),
        ("naam = \"Organisatie gemeente\"", "naam = \"\"", None, "`naam` van de organisatie"),
        ("adres = \"127.0.0.1", "adres = \"http://127.0.0.1", None, "HOST:POORT"),
    ] {
        assert!(right.contains(before), "{before}");
        fs::write(&path, right.replacen(before, after, 1)).unwrap();
        let error = refuses(&node, expected);
        let at = at.map(|text| format!("regel {}", line(text)));
        assert!(at.is_none_or(|at| error.contains(&at)), "{after}: {error}");
        assert!(error.contains("schakel.toml") && error.contains("schakel.voorbeeld.toml"), "{error}");
    }
    let end = right.matches('\n').count() + 1;
    fs::write(&path, [right.as_bytes(), b"# Caf\xe9\n"].concat()).unwrap();
    let error = refuses(&node, "UTF-8");
    assert!(error.contains(&format!("schakel.toml: regel {end}: ")), "{error}");
    fs::write(&path, &right).unwrap();
    serves(&node);
    fs::remove_file(&path).unwrap();
    refuses(&node, "schakel init");
}

#[test]
fn a_file_that_the_settings_name() {
    let (_place, node) = municipality();
    let path = node.path("schakel.toml");
    let right = fs::read_to_string(&path).unwrap();
    let refuses_at = |text: &str, at: &str, expected: &str| {
        fs::write(&path, text).unwrap();
        let line = text.lines().position(|line| line.contains(at)).unwrap() + 1;
        let error = refuses(&node, expected);
        assert!(error.contains(&format!("schakel.toml: regel {line}: ")), "{error}");
        error
    };
    let error =
        refuses_at(&right.replace("doelen = \"doelen\"", "doelen = \"elders\""), "elders", "doelenregister");
    assert!(error.contains("gemeente/elders, is er niet. Zet"), "{error}");
    let connection = |mapping: &str| {
        format!(
            "\n[[koppelingen]]\nnaam = \"export\"\nontvanger = \"{CORPORATION}\"\nmapping = \"{mapping}\"\n"
        )
    };
    let error = refuses_at(&(right.clone() + &connection("weg.toml")), "weg.toml", "koppeling `export`");
    assert!(
        error.contains("gemeente/weg.toml is niet te lezen: het bestand of de map bestaat niet"),
        "{error}"
    );
    refuses_at(&(right.clone() + &connection("schakel.toml")), "mapping = ", "koppeling `export`");
    fs::write(&path, &right).unwrap();

    let purpose = node.path("doelen/eigen.toml");
    for (text, expected) in
        [("doel = \"eigen\"\nversie = \n", "regel 2"), ("doel = \"eigen\"\n", "voldoet niet aan het schema")]
    {
        fs::write(&purpose, text).unwrap();
        let error = refuses(&node, expected);
        assert!(error.contains("doelen/eigen.toml") && error.contains("Verbeter"), "{error}");
    }
    fs::remove_file(&purpose).unwrap();
    serves(&node);
}

#[test]
fn a_level_of_logging_that_there_is_not() {
    let (_place, node) = municipality();
    let asked = |level: &str| {
        let map = node.path("");
        let mut command = Command::new(schakel());
        command.args(["berichten", "--map", map.to_str().unwrap()]).env("SCHAKEL_LOG", level);
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    for wrong in ["debgu", "info,veel", "node=veel"] {
        let (code, error) = asked(wrong);
        assert_eq!(code, Some(3), "{error}");
        assert!(error.contains(wrong) && error.contains("error, warn, info"), "{error}");
    }
    for right in ["", "warn", "off", "WARN", "error,node=debug"] {
        assert_eq!(asked(right).0, Some(0), "{right}");
    }
}

#[test]
fn a_key_that_is_missing_damaged_or_open_to_others() {
    let (place, node) = municipality();
    let other = place.node("corporatie", CORPORATION, "woningcorporatie");
    for key in ["berichten.key", "logboek.key", "opslag.key"] {
        let path = node.path("sleutels").join(key);
        let kept = place.path().join("kopie");
        copy(&path, &kept);
        fs::remove_file(&path).unwrap();
        assert!(refuses(&node, "bestaat niet").contains(key));
        fs::write(&path, "geen sleutel").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(refuses(&node, "reservekopie").contains(key));
        copy(&kept, &path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(refuses(&node, "chmod 600").contains(key));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let path = node.path("tls/sleutel.pem");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(refuses(&node, "chmod 600").contains("tls/sleutel.pem"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    // The key of another node: whoever mixed up two backups hears so before anything is written.
    let (path, kept) = (node.path("sleutels/opslag.key"), place.path().join("kopie"));
    copy(&path, &kept);
    copy(&other.path("sleutels/opslag.key"), &path);
    refuses(&node, "opslagsleutel");
    copy(&kept, &path);
    serves(&node);
}

#[test]
fn a_log_key_that_the_agreement_does_not_name() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    receiving.stop();
    let (path, kept) = (municipality.path("sleutels/logboek.key"), place.path().join("kopie"));
    copy(&path, &kept);
    copy(&corporation.path("sleutels/logboek.key"), &path);
    refuses(&municipality, "logsleutel");
    copy(&kept, &path);
    serves(&municipality);
}

#[test]
fn a_certificate_that_does_not_fit() {
    let (place, node) = municipality();
    let (certificate, key) = (node.path("tls/certificaat.pem"), node.path("tls/sleutel.pem"));
    let (good, good_key) = (fs::read(&certificate).unwrap(), fs::read(&key).unwrap());
    fs::remove_file(&certificate).unwrap();
    assert!(refuses(&node, "Controleer of").contains("tls/certificaat.pem"));
    fs::write(&certificate, "").unwrap();
    assert!(refuses(&node, "als PEM").contains("tls/certificaat.pem"));
    fs::write(&certificate, &good).unwrap();
    fs::write(&key, "geen sleutel").unwrap();
    assert!(refuses(&node, "als PEM").contains("tls/sleutel.pem"));

    let long = SignedDuration::from_hours(24 * 200);
    for (oin, age, expected) in [
        (MUNICIPALITY, long, "is verlopen"),
        (CORPORATION, SignedDuration::ZERO, "is van organisatie 00000099000000002000"),
    ] {
        let now = SystemClock.now();
        let authority = setup::trial_authority(&place.authority(), now, &SystemRandom).unwrap();
        let subject = Subject { oin: oin.parse().unwrap(), name: "Iemand", host: "127.0.0.1" };
        let pair = authority.issue(subject, now - age, &SystemRandom).unwrap();
        fs::write(&certificate, &pair.public).unwrap();
        fs::write(&key, &good_key).unwrap();
        refuses(&node, "Gebruik de sleutel waarmee dit certificaat is aangevraagd");
        fs::write(&key, pair.private.as_bytes()).unwrap();
        refuses(&node, expected);
        // What needs no partner still works, to find out what is the matter.
        node.cli(&["berichten"]).expect(0);
        node.cli(&["logboek", "verify"]).expect(0);
    }
    fs::write(&certificate, good).unwrap();
    fs::write(&key, good_key).unwrap();
    fs::write(node.path("tls/vertrouwensankers.pem"), "x").unwrap();
    refuses(&node, "vertrouwensankers.pem");
}

#[test]
fn a_node_without_a_certificate_yet() {
    let place = Place::new();
    let arguments =
        "init --map wacht --oin 00000099000000001000 --naam Wacht --soort gemeente --adres localhost:8443";
    let done = place.cli(&arguments.split(' ').collect::<Vec<_>>()).expect(0);
    assert!(done.stdout.contains("aanvraag.csr"), "{done:?}");
    let error = place.cli(&["serve", "--map", "wacht"]).refused();
    assert!(error.starts_with("het certificaat wacht/tls/certificaat.pem is er nog niet"), "{error}");
    assert!(error.contains("tls/aanvraag.csr ondertekenen"), "{error}");
    let again = place.cli(&arguments.split(' ').collect::<Vec<_>>()).refused();
    assert!(again.contains("staat al een knooppunt"), "{again}");
    for (option, value, expected) in [
        ("--adres", "geen adres", "HOST:POORT"),
        ("--adres", "host:0", "HOST:POORT"),
        ("--naam", " ", "`naam`"),
    ] {
        let mut words: Vec<&str> =
            arguments.split(' ').map(|word| if word == "wacht" { "anders" } else { word }).collect();
        let at = words.iter().position(|word| *word == option).unwrap();
        words[at + 1] = value;
        let error = place.cli(&words).refused();
        assert!(error.contains(expected), "{option} {value}: {error}");
        assert!(!place.path().join("anders/schakel.toml").exists());
    }
}

#[test]
fn a_database_that_is_missing_damaged_or_of_another() {
    let (place, node) = municipality();
    let other = place.node("corporatie", CORPORATION, "woningcorporatie");
    let database = node.path("schakel.db");
    let good = fs::read(&database).unwrap();
    let put = |content: &[u8]| {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(node.path(&format!("schakel.db{suffix}")));
        }
        fs::write(&database, content).unwrap();
    };
    put(&good);
    serves(&node);
    fs::remove_file(&database).unwrap();
    refuses(&node, "zet het pad naar de bestaande database goed");
    assert!(!database.exists(), "a log never starts anew by accident");

    put(b"dit is geen database");
    refuses(&node, "reservekopie");
    put(&[]);
    refuses(&node, "reservekopie");
    put(&good[..good.len() / 2]);
    refuses(&node, "reservekopie");
    put(&good);
    let file = fs::OpenOptions::new().write(true).open(&database).unwrap();
    file.write_all_at(&vec![0x5a; 16 * 4096], 2 * 4096).unwrap();
    refuses(&node, "reservekopie");
    for command in
        [&["berichten", "--json"][..], &["logboek", "verify", "--json"], &["partner", "lijst", "--json"]]
    {
        let done = node.cli(command);
        assert!(done.json()["fout"].is_string());
        assert!(done.refused().contains("reservekopie"));
    }
    put(&fs::read(other.path("schakel.db")).unwrap());
    refuses(&node, "database");
    put(&good);
    serves(&node);
}

#[test]
fn a_database_that_somebody_wrote_in() {
    let place = Place::new();
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", tests::processes::FIXTURE);
    corporation.send(&list, MUNICIPALITY);
    corporation.settle();
    for serving in [receiving, sending] {
        serving.stop();
    }
    // Whoever opens it last brings the write-ahead log into the database.
    municipality.verified_log();
    let path = municipality.path("schakel.db");
    let good = fs::read(&path).unwrap();
    let find = |content: &[u8], text: &[u8]| content.windows(text.len()).position(|window| window == text);
    for node in [&municipality, &corporation] {
        for file in ["schakel.db", "schakel.db-wal"] {
            let content = fs::read(node.path(file)).unwrap_or_default();
            for personal in ["Kloosterman", "Eikenhof", "bewoner2@", "achternaam", "bedrag_in_centen"] {
                assert!(find(&content, personal.as_bytes()).is_none(), "{personal} in {file}");
            }
        }
    }
    // Everywhere it stands: pages that are not used any more hold copies.
    let mut changed = good.clone();
    let text = b"\"soort\":\"ontvangst\",\"tijd\":\"20";
    while let Some(at) = find(&changed, text) {
        changed[at + text.len() - 1] = b'1';
    }
    assert_ne!(changed, good);
    fs::write(&path, &changed).unwrap();
    let verdict = municipality.cli(&["logboek", "verify", "--json"]).expect(1).json();
    assert_eq!(verdict["heel"], false, "{verdict}");
    fs::write(&path, &good).unwrap();
    municipality.verified_log();
}

#[test]
fn a_second_process_on_the_same_node() {
    let place = Place::new();
    let (node, serving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    refuses(&node, "draait al");
    // Other commands work beside it, many at a time.
    let running: Vec<Running> = (0..6).map(|_| node.start(&["logboek", "verify"])).collect();
    for one in running {
        one.wait().expect(0);
    }
    let (again, stopped) = (node.clone(), serving.stop());
    assert!(stopped.contains("stopping"), "{stopped}");
    serves(&again);
}

#[test]
fn many_offers_at_the_same_time_beside_a_node_that_serves() {
    let place = Place::new();
    let (municipality, _receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let lists: Vec<PathBuf> = (0..4)
        .map(|series| place.file(&format!("lijst-{series}.csv"), &export::rows(60, series % 2)))
        .collect();
    let offers: Vec<Running> =
        lists.iter().map(|list| corporation.start_sending(list, MUNICIPALITY)).collect();
    let sent: u64 =
        offers.into_iter().map(|offer| offer.wait().expect(0).json()["verzonden"].as_u64().unwrap()).sum();
    assert_eq!(sent, 120, "every row once, although each was offered twice at the same time");
    corporation.settle();
    assert_eq!(municipality.mailbox("in").0.len(), 120);
    assert_eq!(municipality.mailbox("in").digests(), corporation.mailbox("uit").digests());
    corporation.verified_log();
}

#[test]
fn rejects_that_cannot_be_written() {
    let place = Place::new();
    let (municipality, _receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", tests::processes::FIXTURE);
    // A place where even root can make no file.
    let open = fs::File::open(&list).unwrap();
    let input = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), open.as_raw_fd()));
    let error = corporation.try_send(&input, MUNICIPALITY).refused();
    assert!(error.contains("afgekeurde regels") && error.contains("niet te schrijven"), "{error}");
    assert!(corporation.mailbox("uit").0.is_empty(), "known before the first row was sent");
    let report = corporation.send(&list, MUNICIPALITY);
    assert!(report["verzonden"].as_u64().unwrap() > 0);
}

/// Commands and the node itself, on a disk of their own.
struct OnDisk<'a> {
    place: &'a Place,
    disk: SmallDisk,
    map: String,
}

impl OnDisk<'_> {
    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.disk.command(schakel());
        command.args(arguments).args(["--map", &self.map, "--json"]);
        Running::start(self.place.path(), command)
    }

    fn serve(&self) -> Serving {
        let watch = Stopwatch::start();
        Serving::ready(self.start(&["serve"]), watch).unwrap_or_else(|done| panic!("{done:?}"))
    }
}

/// Two nodes that agreed, the one called `moved` stopped and on a small disk; nothing when this user cannot mount.
fn on_small_disk<'a>(place: &'a Place, moved: &str) -> Option<(OnDisk<'a>, Node, Node, Serving)> {
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(place, &municipality, &corporation);
    let (stays, leaves) = if moved == "gemeente" { (sending, receiving) } else { (receiving, sending) };
    leaves.stop();
    let at = place.path().join("schijf");
    let Some(disk) = SmallDisk::new(&at, 16 * 1024) else {
        eprintln!("skipped: this user may not mount a disk");
        return None;
    };
    disk.copy_in(&place.path().join(moved));
    let map = at.join(moved).to_str().unwrap().to_owned();
    Some((OnDisk { place, disk, map }, municipality, corporation, stays))
}

#[test]
fn a_disk_that_is_full_at_the_sender() {
    let place = Place::new();
    let Some((sender, municipality, _, _serving)) = on_small_disk(&place, "corporatie") else { return };
    let list = place.file("lijst.csv", &export::rows(800, 0));
    let mapping = format!("{}/koppelingen/woningcorporatie-achterstanden.toml", sender.map);
    let offer = ["verstuur", &mapping, list.to_str().unwrap(), "--aan", MUNICIPALITY];
    let _sending = sender.serve();
    sender.disk.fill();
    let error = sender.start(&offer).wait().refused();
    assert!(error.contains("Maak ruimte vrij"), "{error}");
    sender.disk.make_room();
    let report = sender.start(&offer).wait().expect(0).json();
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(number("verzonden") + number("eerder_verzonden"), 800, "{report}");
    until("all of it arrived", || (municipality.mailbox("in").0.len() == 800).then_some(()));
    municipality.verified_log();
    let verdict = sender.start(&["logboek", "verify"]).wait().expect(0).json();
    assert_eq!(verdict["heel"], true);
}

#[test]
fn a_disk_that_is_full_at_the_receiver() {
    let place = Place::new();
    let Some((receiver, _, corporation, _serving)) = on_small_disk(&place, "gemeente") else { return };
    let receiving = receiver.serve();
    receiver.disk.fill();
    let list = place.file("lijst.csv", &export::rows(800, 0));
    let report = corporation.send(&list, MUNICIPALITY);
    assert_eq!(report["verzonden"], 800);
    until("the sender notices", || {
        corporation.json(&["partner", "lijst"])["partners"][0]["storing"].is_string().then_some(())
    });
    assert!(receiving.process.stderr().contains("cannot take a request"), "{}", receiving.process.stderr());
    receiver.disk.make_room();
    // It goes on by itself, as the remedy promises.
    corporation.settle();
    let inbox = receiver.start(&["berichten", "--aantal", "500"]).wait().expect(0).json();
    assert_eq!(inbox["berichten"].as_array().unwrap().len(), 500);
    assert_eq!(corporation.mailbox("uit").states(), [("toegelaten".to_owned(), 800)].into());
    let verdict = receiver.start(&["logboek", "verify"]).wait().expect(0).json();
    assert_eq!(verdict["heel"], true);
}

#[test]
fn a_file_that_may_not_grow() {
    let place = Place::new();
    let (municipality, _receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", &export::rows(800, 0));
    let mapping = corporation.path("koppelingen/woningcorporatie-achterstanden.toml");
    let mut limited = Command::new("sh");
    // No file over 600 KiB, and no signal about it.
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1200; exec \"$@\"", "sh"]).arg(schakel());
    limited.args(["verstuur", "--json", "--map"]).arg(&corporation.folder).arg(mapping).arg(&list);
    limited.args(["--aan", MUNICIPALITY]);
    let error = Running::start(place.path(), limited).wait().refused();
    assert!(error.contains("ruimte") || error.contains("Controleer de schijf"), "{error}");
    let report = corporation.send(&list, MUNICIPALITY);
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(number("verzonden") + number("eerder_verzonden"), 800, "{report}");
    corporation.settle();
    assert_eq!(municipality.mailbox("in").digests(), corporation.mailbox("uit").digests());
    assert_eq!(municipality.mailbox("in").0.len(), 800);
}
