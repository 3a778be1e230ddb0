use jiff::Timestamp;
use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn organisation(name: &str, oin: &str) -> Organisation {
    Organisation { naam: name.into(), oin: oin.parse().unwrap() }
}

fn document() -> Document {
    let arrears = json!({
        "grondslag": { "soort": "wettelijke-verplichting", "artikelen": ["Wgs art. 3 lid 1 onder b"],
            "voorwaarden": { "persoonlijk-contact": true, "gewezen-op-schuldhulp": true, "schriftelijke-herinnering": true, "aanbod-doorgeven-zonder-bezwaar": true } },
        "betrokkene": {
            "naam": { "voorletters": "E.", "achternaam": "<script>alert('x')</script> & Zn" },
            "geboortedatum": "1974-01-20",
            "adres": { "straat": "Lindelaan", "huisnummer": 19, "postcode": "4906AN", "woonplaats": "Rivierstad" },
        },
        "inhoud": { "soort_schuld": "huur", "bedrag_in_centen": 50_884, "achterstand_sinds": "2026-10-09", "peildatum": "2026-11-16", "crisis": false },
    });
    Document::parse(SchemaName::PaymentArrears, arrears.to_string().as_bytes()).unwrap()
}

fn item(number: u64) -> Item {
    let document = document();
    Item {
        nummer: number,
        titel: schemas::title(document.schema()),
        uitleg: schemas::describe(document.schema()),
        van: organisation("Wonen \"De Sleutel\"", "00000099000000002000"),
        aan: organisation("Gemeente Rivierstad", "00000099000000001000"),
        gemaakt: at("2026-11-16T08:00:00Z"),
        afgerond: Some(at("2026-11-16T08:00:05Z")),
        stand: "ontvangen",
        doel: Some(Aim {
            naam: "Vroegsignalering".into(),
            omschrijving: "Op tijd hulp bieden.".into(),
            bronnen: vec!["Wgs art. 3 lid 1 onder b".into()],
            bewaartermijn_dagen: 183,
        }),
        grondslag: Some(Ground {
            soort: "toestemming",
            uitleg: in_words(BasisKind::Consent).to_owned(),
            artikelen: vec!["AVG art. 6 lid 1 onder a".into()],
            toestemming: Some(uuid::Uuid::from_u128(7)),
        }),
        bewaard_tot: Some(at("2027-05-18T08:00:05Z")),
        gegevens: Some(document.value().clone()),
        niet_getoond: None,
        fields: schemas::readable(&document),
        sent_here: false,
    }
}

/// What was recorded, and again at an extension.
fn recorded() -> Recorded {
    let content = |given: &str, how: &str, reference: &str| {
        json!({
            "verleend_op": given, "geldig_tot": "2027-01-01T00:00:00Z", "wijze": how,
            "bewijs": { "soort": "gespreksverslag", "kenmerk": reference },
            "waarom_toestemming": "U vroeg er <zelf> om.",
            "vrijheid": {
                "gevolg_van_weigeren": "Dan zoeken wij samen iets anders.", "hulp_hangt_ervan_af": false, "taal": "ar",
                "tolk": true, "steun_aanwezig": false, "gewezen_op_intrekken": true,
                "uitgelegd_door": { "organisatie": "Wijkteam Noord", "functie": "consulent" },
            },
        })
    };
    let resident = schemas::readable(&document()).into_iter().find(|field| field.name == "betrokkene");
    let Some(schemas::Reading::Fields(resident)) = resident.map(|field| field.holds) else {
        panic!("a resident")
    };
    let version =
        |regel, inhoud| Version { regel, toestemming: json!({ "inhoud": inhoud }), resident: Vec::new() };
    Recorded {
        bewaartermijn_dagen: 1826,
        bewaard_tot: Some(at("2031-11-20T08:00:00Z")),
        versies: vec![
            version(3, content("2026-10-01T08:00:00Z", "schriftelijk", "TF-1")),
            Version { resident, ..version(8, content("2026-11-01T08:00:00Z", "mondeling", "GV-2")) },
        ],
    }
}

fn consent() -> GivenConsent {
    let municipality = || organisation("Gemeente Rivierstad", "00000099000000001000");
    let told = |at, done| Told {
        organisatie: municipality(),
        bevestigd_op: at,
        uitkomst: done,
        bewaard_op_grond_van: None,
    };
    GivenConsent {
        id: uuid::Uuid::from_u128(7),
        houder: organisation("Wonen <Thuis>", "00000099000000002000"),
        stand: "ingetrokken",
        verleend_op: Some(at("2026-11-01T08:00:00Z")),
        geldig_tot: Some(at("2027-01-01T00:00:00Z")),
        ingetrokken_op: Some(at("2026-11-20T08:00:00Z")),
        verleend_aan: vec![municipality()],
        doelen: vec!["hulp-met-toestemming".into()],
        gegevens: vec!["adres".into()],
        leefgebieden: vec!["wonen".into()],
        vastlegging: Some(recorded()),
        bewaard_op_grond_van: None,
        organisaties: vec![told(Some(at("2026-11-20T09:00:00Z")), Some("gewist")), told(None, None)],
        in_words: consents::InWords {
            purposes: vec!["Hulp waar u toestemming voor gaf".into()],
            data: vec!["adres"],
            domains: vec!["wonen"],
        },
        asked_here: true,
    }
}

fn report(items: Vec<Item>) -> SubjectReport {
    SubjectReport {
        soort: "schakel-inzage/1",
        gemaakt: at("2026-11-22T09:30:00Z"),
        kenmerk: "AVG-2026-017".into(),
        organisatie: Controller {
            naam: "Gemeente Rivierstad".into(),
            oin: "00000099000000001000".parse().unwrap(),
            contact: "schakel@rivierstad.test".into(),
            fg: "fg@rivierstad.test".into(),
        },
        gezocht_op: json!({ "bsn": "999990342" }),
        raadplegingen: items
            .iter()
            .map(|_| Look {
                wanneer: at("2026-11-20T10:00:00Z"),
                wat: "inzien",
                reden: "dossier",
                door: "medewerker",
            })
            .collect(),
        samengebracht: Vec::new(),
        toestemmingen: items.first().map(|_| consent()).into_iter().collect(),
        toestemmingen_misschien: Vec::new(),
        berichten: items,
        volledig: true,
        misschien: Vec::new(),
    }
}

/// The elements of a page, each closed where it should be; panics when one is not.
fn elements(page: &str) -> Vec<(String, String)> {
    const VOID: [&str; 1] = ["meta"];
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "a loose > in {:?}", &rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag that ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed where another was open");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.bytes().all(|letter| letter.is_ascii_alphanumeric()), "{name}");
        found.push((name.to_owned(), attributes.to_owned()));
        if name == "style" {
            rest = rest.split_once("</style>").expect("an end").1;
        } else if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    found
}

fn headings(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in page.match_indices("<h") {
        let level = &page[start + 2..=start + 2];
        if level.bytes().all(|digit| digit.is_ascii_digit()) {
            let text = page[start..].split_once('>').unwrap().1.split_once("</h").unwrap().0;
            found.push(format!("{level} {text}"));
        }
    }
    found
}

#[test]
fn the_page_has_the_same_parts_each_time() {
    let page = html(&report(vec![item(3), item(9)]));
    assert_eq!(
        headings(&page),
        [
            "1 Uw gegevens bij Gemeente Rivierstad",
            "2 In het kort",
            "2 De berichten",
            "3 Signaal: betalingsachterstand",
            "4 Over wie het gaat",
            "4 Wat er in het bericht staat",
            "4 Waar de afzender op moest letten",
            "3 Signaal: betalingsachterstand",
            "4 Over wie het gaat",
            "4 Wat er in het bericht staat",
            "4 Waar de afzender op moest letten",
            "2 Uw toestemmingen",
            "3 Toestemming van 1 november 2026",
            "4 Hoe de toestemming is vastgelegd",
            "4 Wie u bent, zoals het daarbij staat",
            "2 Wie uw gegevens heeft bekeken",
            "2 Uw rechten",
        ]
    );
    for part in [
        "AVG-2026-017",
        "22 november 2026, 10:30 uur",
        "16 november 2026, 09:00 uur",
        "Wonen &quot;De Sleutel&quot;",
        "Vroegsignalering. Op tijd hulp bieden.",
        "U heeft hier toestemming voor gegeven",
        "<dt>Uw toestemming</dt><dd><a href=\"#toestemming-00000000-0000-0000-0000-000000000007\">Toestemming van 1 november 2026</a></dd>",
        "Wij weten van één <a href=\"#toestemmingen\">toestemming</a> die u gaf.",
        "<dt>Hoe het ermee staat</dt><dd>u hebt deze toestemming ingetrokken</dd>",
        "<dt>Waarvoor</dt><dd>Hulp waar u toestemming voor gaf</dd>",
        "<dt>Over welke delen van uw leven</dt><dd>wonen</dd>",
        "tot vijf jaar nadat de toestemming is geëindigd: tot 20 november 2031",
        "<dt>Hoe u toestemming gaf</dt><dd>mondeling</dd>",
        "<dt>Waar dat staat</dt><dd>gespreksverslag, met kenmerk GV-2</dd>",
        "<dt>Wat er gebeurt als u nee zegt</dt><dd>Dan zoeken wij samen iets anders.</dd>",
        "<dt>Wie het u uitlegde</dt><dd>consulent, Wijkteam Noord</dd>",
        "<dt>In welke taal</dt><dd>Arabisch</dd>",
        "<dt>Was er een tolk bij?</dt><dd>ja</dd>",
        "<dt>Waarom er om toestemming is gevraagd</dt><dd>U vroeg er &lt;zelf&gt; om.</dd>",
        "<td>1 oktober 2026, 10:00 uur</td><td>1 januari 2027, 01:00 uur</td><td>schriftelijk</td><td>TF-1</td>",
        "<dt>Gevraagd door</dt><dd>Wonen &lt;Thuis&gt;</dd>",
        "<dt>Geldig tot</dt><dd>1 januari 2027, 01:00 uur</dd>",
        "<dt>Ingetrokken op</dt><dd>20 november 2026, 09:00 uur</dd>",
        "<li>Gemeente Rivierstad: heeft de gegevens gewist, op 20 november 2026, 10:00 uur</li>",
        "<li>Gemeente Rivierstad: heeft nog niet bevestigd wat ermee is gedaan</li>",
        "<dt>Wij bewaren dit tot</dt><dd>18 mei 2027</dd>",
        "<dt>Bedrag <small>Hoogte van de achterstand.</small></dt><dd>€ 508,84</dd>",
        "<td>een bericht bekeken</td><td>voor het werk aan uw dossier</td>",
        "fg@rivierstad.test",
        "Autoriteit Persoonsgegevens",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

/// Well-formed, in Dutch, with headings that skip no level, tables with captions and headers, links that lead
/// somewhere, and nothing from elsewhere.
#[test]
fn the_page_can_be_read_by_everybody() {
    for page in [html(&report(vec![item(3), item(9)])), html(&report(Vec::new()))] {
        let found = elements(&page);
        let of = |name: &str| found.iter().filter(|(found, _)| found == name).count();
        assert_eq!(found[0], ("html".to_owned(), "lang=\"nl\"".to_owned()));
        assert_eq!(
            (of("h1"), of("main"), of("title"), of("script"), of("img"), of("link")),
            (1, 1, 1, 0, 0, 0)
        );
        assert_eq!((of("table"), of("table")), (of("caption"), of("thead")));
        assert!(
            found
                .iter()
                .filter(|(name, _)| name == "th")
                .all(|(_, attributes)| attributes == "scope=\"col\"")
        );
        let levels: Vec<u32> = headings(&page).iter().map(|heading| heading[..1].parse().unwrap()).collect();
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
        for (_, attributes) in found.iter().filter(|(name, _)| name == "a") {
            let target = attributes.split_once("href=\"#").expect("a place in this page").1;
            let target = target.trim_end_matches('"');
            assert_eq!(page.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
        }
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let digest =
            exchange::tlog::Hash::from_bytes(*exchange::digest::Digest::of(style.as_bytes()).as_bytes());
        assert!(page.contains(&format!("style-src 'sha256-{digest}'")));
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("));
    }
}

#[test]
fn what_a_message_says_is_text_and_nothing_else() {
    let page = html(&report(vec![item(3)]));
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; Zn"));
    assert!(!page.contains("<script"));
}

/// A message of which the consent ended is named, with what it was, and without what it said.
#[test]
fn a_message_on_a_consent_that_ended_is_told_without_its_content() {
    for why in store::Withheld::ALL {
        let page = html(&report(vec![Item { niet_getoond: Some(why.as_str()), ..item(3) }]));
        assert!(page.contains("Signaal: betalingsachterstand") && !page.contains("508,84"));
        let named = why.as_str().starts_with("toestemming");
        assert_eq!(page.contains("gedeeld met uw toestemming"), named, "{why:?}");
        assert!(!page.contains(&format!("<p>{}</p>", why.as_str())), "{why:?}");
    }
    let whole = html(&report(vec![item(3)]));
    assert!(whole.contains("508,84") && !whole.contains("gedeeld met uw toestemming"));
}

/// No word of the access log reaches the resident as it stands there.
#[test]
fn everything_somebody_can_do_is_told_in_words() {
    let deeds = [Deed::Inzien, Deed::Zoeken, Deed::Uitvoer, Deed::Besluit, Deed::Raadplegingen];
    for (deed, why) in deeds.into_iter().cycle().zip(store::Reason::ALL) {
        let mut report = report(vec![item(3)]);
        (report.raadplegingen[0].wat, report.raadplegingen[0].reden) = (deed.as_str(), why.as_str());
        let page = html(&report);
        assert!(!page.contains(&format!("<td>{deed}</td>")) && !page.contains(&format!("<td>{why}</td>")));
    }
}

#[test]
fn whoever_is_not_there_hears_so() {
    let page = html(&report(Vec::new()));
    assert!(page.contains("geen berichten (meer) over u"));
    assert!(page.contains("Niemand heeft uw gegevens in dit systeem bekeken."));
    assert!(!page.contains("De berichten"));
    let incomplete = html(&SubjectReport { volledig: false, ..report(Vec::new()) });
    assert!(incomplete.contains("nog niet alles kunnen doorzoeken") && !page.contains("nog niet alles"));
}

#[test]
fn the_report_for_programs_has_the_same_parts() {
    let read = serde_json::to_value(report(vec![item(3)])).unwrap();
    let keys =
        |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&read),
        "berichten gemaakt gezocht_op kenmerk organisatie raadplegingen samengebracht soort toestemmingen volledig"
    );
    assert_eq!(
        keys(&read["berichten"][0]),
        "aan afgerond bewaard_tot doel gegevens gemaakt grondslag niet_getoond nummer stand titel uitleg van"
    );
    assert_eq!(read["berichten"][0]["gegevens"]["betrokkene"]["geboortedatum"], "1974-01-20");
    assert_eq!(keys(&read["raadplegingen"][0]), "door reden wanneer wat");
}
