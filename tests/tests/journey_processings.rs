//! Logboek Dataverwerkingen: a collector gets every processing exactly as the logs have it, whatever fails in between, and
//! two organisations can put their parts of one exchange together.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a journey that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Any, trace::v1::Span,
};
use serde_json::{Value, json};
use tests::processes::{CORPORATION, MUNICIPALITY, Node, Place, Serving, agree, export, until};

/// How the collector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// It hangs up.
    Down,
    /// It takes what it gets and hangs up before it says so.
    Silent,
    /// It has trouble, and says so.
    Unwell,
    /// It does what it should.
    Well,
}

/// What a collector got: the spans of each organisation in order of arrival, and all text.
#[derive(Debug, Default)]
struct Received {
    spans: BTreeMap<String, Vec<Span>>,
    text: String,
}

/// An OTLP receiver that decodes with the types of OpenTelemetry.
#[derive(Debug)]
struct Collector {
    address: String,
    mood: Arc<Mutex<Mood>>,
    received: Arc<Mutex<Received>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (mood, received) = (Arc::new(Mutex::new(Mood::Down)), Arc::<Mutex<Received>>::default());
        let (of, into) = (mood.clone(), received.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mood = *of.lock().unwrap();
                if mood != Mood::Down {
                    answer(&stream.unwrap(), mood, &into);
                }
            }
        });
        Self { address, mood, received }
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The spans of an organisation: each identifier once. What came more than once was the same each time.
    fn spans(&self, oin: &str) -> Vec<Span> {
        let received = self.received.lock().unwrap();
        let mut seen: BTreeMap<Vec<u8>, Span> = BTreeMap::new();
        for span in received.spans.get(oin).into_iter().flatten() {
            let first = seen.entry(span.span_id.clone()).or_insert_with(|| span.clone());
            assert_eq!(first, span, "one identifier, two processings");
        }
        seen.into_values().collect()
    }

    fn has_any(&self, oin: &str) -> bool {
        self.received.lock().unwrap().spans.contains_key(oin)
    }
}

fn answer(mut stream: &TcpStream, mood: Mood, into: &Mutex<Received>) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut token, mut line) = (0, false, String::new());
    while reader.read_line(&mut line).unwrap_or(0) > 2 {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        token |= lower.starts_with("authorization: bearer geheim");
        line.clear();
    }
    let mut body = vec![0; length];
    // Who is killed halfway through is not heard.
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let status = match mood {
        _ if !token => "401 Unauthorized",
        Mood::Unwell => "503 Service Unavailable",
        _ => {
            take(&body, into);
            "200 OK"
        }
    };
    if mood != Mood::Silent {
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
    }
}

fn take(body: &[u8], into: &Mutex<Received>) {
    let request: ExportTraceServiceRequest = serde_json::from_slice(body).expect("this is OTLP");
    let mut received = into.lock().unwrap();
    received.text.push_str(std::str::from_utf8(body).unwrap());
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let of = attributes.iter().find(|one| one.key == "service.namespace").unwrap();
        let oin = text(of.value.as_ref().and_then(|value| value.value.as_ref())).replace("urn:nld:oin:", "");
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        received.spans.entry(oin).or_default().extend(spans);
    }
}

fn text(value: Option<&Any>) -> String {
    match value {
        Some(Any::StringValue(text)) => text.clone(),
        other => panic!("no text: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A span as `schakel dataverwerkingen --json` tells of it.
fn told(span: &Span) -> Value {
    let of = |key: &str| {
        let found = span.attributes.iter().find(|one| one.key == key)?;
        Some(text(found.value.as_ref().and_then(|value| value.value.as_ref())))
    };
    let foreign = of("dpl.core.foreign_operation.trace_id").map(|trace| {
        json!({
            "trace_id": trace, "operation_id": of("dpl.core.foreign_operation.operation_id"),
            "entity": of("dpl.core.foreign_operation.entity"),
        })
    });
    let links: Vec<_> = span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect();
    let linked = foreign.iter().map(|one| {
        let id = |name: &str| one[name].as_str().unwrap().to_owned();
        (id("trace_id"), id("operation_id"))
    });
    assert_eq!(links, linked.collect::<Vec<_>>(), "a link for what a partner did");
    assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
    let time = |nanoseconds: u64| jiff::Timestamp::from_nanosecond(nanoseconds.into()).unwrap();
    json!({
        "regel": of("schakel.logregel").unwrap().parse::<u64>().unwrap(),
        "trace_id": hex(&span.trace_id),
        "operation_id": hex(&span.span_id),
        "foreign_operation": foreign,
        "status_code": span.status.as_ref().unwrap().code,
        "name": span.name,
        "start_time": time(span.start_time_unix_nano),
        "end_time": time(span.end_time_unix_nano),
        "processing_activity_id": of("dpl.core.processing_activity_id"),
        "data_subject_id": of("dpl.core.data_subject_id"),
        "data_subject_id_type": of("dpl.core.data_subject_id_type"),
        "bericht": of("schakel.bericht"),
        "berichttype": of("schakel.berichttype"),
    })
}

fn sorted(mut records: Vec<Value>) -> Vec<Value> {
    records.sort_by_key(|one| (one["regel"].as_u64(), one["operation_id"].to_string()));
    records
}

/// Stops a node, tells it where the collector is, and serves again.
fn connected(node: &Node, serving: Serving, collector: &Collector) -> Serving {
    serving.stop();
    let path = node.path("schakel.toml");
    let mut settings = fs::read_to_string(&path).unwrap();
    let _ = write!(
        settings,
        "\n[dataverwerkingen]\nadres = \"http://{}\"\nkopregels = \"logboek.kopregels\"\n",
        collector.address
    );
    fs::write(path, settings).unwrap();
    fs::write(node.path("logboek.kopregels"), "Authorization: Bearer geheim\n").unwrap();
    node.serve()
}

fn look(node: &Node) -> Value {
    let done = node.cli(&["dataverwerkingen", "--aantal", "1000", "--json"]);
    assert!(matches!(done.code, 0 | 1), "{done:?}");
    done.json()
}

fn records(node: &Node) -> Vec<Value> {
    look(node)["dataverwerkingen"].as_array().unwrap().clone()
}

fn named<'a>(records: &'a [Value], name: &'a str) -> impl Iterator<Item = &'a Value> {
    records.iter().filter(move |one| one["name"] == name)
}

fn everything_brought(node: &Node) {
    until("the collector has everything", || (look(node)["export"]["te_gaan"] == 0).then_some(()));
}

/// What the collector has is what the node tells, of every entry about a resident. What was erased since names nobody now,
/// and did when it was brought.
fn assert_brought(node: &Node, collector: &Collector) {
    let mut brought = sorted(collector.spans(node.oin).iter().map(told).collect());
    let now = sorted(records(node));
    for (brought, now) in brought.iter_mut().zip(&now) {
        // That it would be erased was decided on before, and brought before or after.
        let is_access = ["besluit", "raadpleging"].iter().any(|name| now["name"] == *name);
        if is_access && now["data_subject_id"].is_null() {
            for gone in ["data_subject_id", "data_subject_id_type"] {
                brought[gone] = Value::Null;
            }
        }
        // Whom it was about was kept until it was brought.
        if now["name"] == "wissing" {
            assert!(brought["data_subject_id"].is_string() && now["data_subject_id"].is_null());
            for gone in ["data_subject_id", "data_subject_id_type"] {
                brought[gone] = Value::Null;
            }
        }
        if now["name"] == "ontvangst" && now["data_subject_id"].is_null() {
            assert!(brought["data_subject_id"].is_string() && brought["foreign_operation"].is_object());
            for gone in ["data_subject_id", "data_subject_id_type", "foreign_operation"] {
                brought[gone] = Value::Null;
            }
        }
    }
    assert_eq!(brought, now);
}

/// Every activity that a record names is in the register of the organisation (AVG art. 30).
fn assert_registered(node: &Node, records: &[Value]) {
    let register = node.json(&["doel", "register"]);
    let listed: BTreeSet<&str> = ["verwerkingen", "eigen_verwerkingen", "overig"]
        .iter()
        .flat_map(|list| register[list].as_array().unwrap())
        .map(|one| one["verwerking"].as_str().unwrap())
        .collect();
    let named: BTreeSet<&str> =
        records.iter().map(|one| one["processing_activity_id"].as_str().unwrap()).collect();
    assert!(named.is_subset(&listed), "{named:?} in {listed:?}");
}

/// The two logs fit together.
fn assert_fitting(theirs: &[Value], collector: &Collector, count: usize) {
    let sent: BTreeSet<(String, String)> = named(theirs, "verzending")
        .map(|one| (one["trace_id"].to_string(), one["operation_id"].to_string()))
        .collect();
    let brought: Vec<Value> = collector.spans(MUNICIPALITY).iter().map(told).collect();
    let foreign: BTreeSet<(String, String)> = named(&brought, "ontvangst")
        .map(|one| &one["foreign_operation"])
        .map(|one| (one["trace_id"].to_string(), one["operation_id"].to_string()))
        .collect();
    assert_eq!((foreign.len(), &foreign), (count, &sent));
}

#[test]
fn a_collector_gets_every_processing_once_whatever_happens() {
    const COUNT: u32 = 12;
    let (place, collector) = (Place::new(), Collector::start());
    let (municipality, receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let mut receiving = connected(&municipality, receiving, &collector);
    let _sending = connected(&corporation, sending, &collector);
    let list = place.file("lijst.csv", &export::rows(COUNT, 1));
    assert_eq!(corporation.send(&list, MUNICIPALITY)["verzonden"], COUNT);
    corporation.settle();

    // It is down, and that is to be seen.
    let state = until("a failure is seen", || {
        let state = look(&municipality)["export"].clone();
        state["probleem"].is_string().then_some(state)
    });
    assert!(state["pogingen"].as_u64() > Some(0) && state["gebracht"] == 0, "{state}");
    assert!(!collector.has_any(MUNICIPALITY));
    collector.is(Mood::Unwell);

    // It takes everything and does not say so; the node is killed before it hears.
    receiving.kill();
    collector.is(Mood::Silent);
    receiving = municipality.serve();
    until("the collector got something", || collector.has_any(MUNICIPALITY).then_some(()));
    receiving.kill();
    let case = municipality.mailbox("in").0[0]["dossier"].as_str().unwrap().to_owned();
    collector.is(Mood::Well);
    let _receiving = municipality.serve();
    everything_brought(&municipality);
    assert_eq!(municipality.json(&["wissen", "dossier", &case, "--zeker"])["gewist"], 1);
    everything_brought(&municipality);
    everything_brought(&corporation);

    for node in [&municipality, &corporation] {
        assert_brought(node, &collector);
        assert_registered(node, &records(node));
    }
    let (theirs, ours) = (records(&corporation), records(&municipality));
    let messages = |node: &Node, direction: &str| -> BTreeSet<String> {
        node.mailbox(direction).ids().into_iter().map(str::to_owned).collect()
    };
    let in_records = |records: &[Value], name: &str| -> BTreeSet<String> {
        named(records, name).map(|one| one["bericht"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(in_records(&theirs, "verzending"), messages(&corporation, "uit"));
    assert_eq!(in_records(&ours, "ontvangst"), messages(&municipality, "in"));
    assert_eq!(named(&ours, "wissing").count(), 1);
    assert!(named(&ours, "besluit").next().is_some(), "a decision is no look");

    assert_fitting(&theirs, &collector, COUNT as usize);
    // Each about somebody else, for a purpose, and nobody is named.
    let subjects: BTreeSet<String> =
        named(&theirs, "verzending").map(|one| one["data_subject_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(subjects.len(), COUNT as usize);
    for one in named(&theirs, "verzending") {
        assert_eq!(one["processing_activity_id"], "urn:schakel:doel:vroegsignalering-huur:1");
    }
    let text = collector.received.lock().unwrap().text.to_lowercase();
    for personal in ["aalbers", "bouman", "cornelisse", "@voorbeeld", "nieuwe gracht", "11 ab", "persoon/1"] {
        assert!(!text.contains(personal), "{personal}");
    }
}

/// The organisation finds a resident in its Logboek, and nobody else does.
#[test]
fn one_resident_is_found_by_who_has_the_key() {
    let place = Place::new();
    let (municipality, _receiving) = place.serving("gemeente", MUNICIPALITY, "gemeente");
    let (corporation, _sending) = place.serving("corporatie", CORPORATION, "woningcorporatie");
    agree(&place, &municipality, &corporation);
    let list = place.file("lijst.csv", &export::rows(3, 1));
    assert_eq!(corporation.send(&list, MUNICIPALITY)["verzonden"], 3);
    corporation.settle();
    let all = records(&municipality);
    let ids: BTreeSet<&str> =
        named(&all, "ontvangst").map(|one| one["data_subject_id"].as_str().unwrap()).collect();
    let theirs = records(&corporation);
    let other: BTreeSet<&str> =
        named(&theirs, "verzending").map(|one| one["data_subject_id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), other.len(), ids.intersection(&other).count()), (3, 3, 0));

    // The first row of the list, written as somebody else would.
    let person = json!({
        "naam": { "voorletters": "A.B.", "voorvoegsel": "v.", "achternaam": "AALBERSEYRF" },
        "geboortedatum": "1980-08-13", "adres": { "postcode": "4911 ab", "huisnummer": 1 },
    });
    let person = place.file("persoon.json", person.to_string().as_bytes());
    let why = ["--reden", "inzageverzoek", "--kenmerk", "Z-2026-0412"];
    let asked = [&["dataverwerkingen", "--betrokkene", person.to_str().unwrap()][..], &why].concat();
    for (node, name) in [(&municipality, "ontvangst"), (&corporation, "verzending")] {
        let found = node.json(&asked)["dataverwerkingen"].as_array().unwrap().clone();
        let names: Vec<&str> = found.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, [name, "raadpleging"], "that somebody looks is a processing too");
        assert_eq!(found[0]["bericht"], found[1]["bericht"]);
    }
    let nobody = place.file("niemand.json", br#"{"bsn":"999990342"}"#);
    let asked = ["dataverwerkingen", "--betrokkene", nobody.to_str().unwrap()];
    let refused = municipality.cli(&asked);
    assert!(refused.code == 3 && refused.stderr.contains("--reden"), "{refused:?}");
    // That somebody was looked for is a processing about them, also when there is nothing.
    let looked = municipality.json(&[&asked[..], &why].concat());
    let found = looked["dataverwerkingen"].as_array().unwrap();
    let about: Vec<[&str; 3]> = found
        .iter()
        .map(|one| {
            ["name", "processing_activity_id", "data_subject_id_type"].map(|key| one[key].as_str().unwrap())
        })
        .collect();
    assert_eq!(about, [["raadpleging", "urn:schakel:raadplegingen", "bsn"]]);
    assert!(looked["export"].is_null());
    assert_registered(&municipality, &records(&municipality));
}
