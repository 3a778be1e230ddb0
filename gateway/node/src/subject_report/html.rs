//! The report as a page: one file, without anything from elsewhere, to read on a screen, aloud or on paper.

use std::fmt::{self, Display, Write as _};

use exchange::{digest::Digest, tlog::Hash};
use schemas::{written_day, written_moment};

use super::{Ground, Item, SubjectReport};

mod consents;
mod fields;
mod together;

const STYLE: &str = "body{font:1.05rem/1.6 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem;color:#1a1a1a;background:#fff}\
h1,h2,h3{line-height:1.25}h2{margin-top:2.5rem;border-bottom:2px solid #154273}h3{margin-top:2rem}\
a{color:#154273}.skip{position:absolute;left:-999rem}.skip:focus{position:static}\
dl{margin:.25rem 0 .25rem 0;display:grid;grid-template-columns:minmax(9rem,15rem) 1fr;gap:.25rem 1rem}dt{font-weight:600}small{display:block;font-weight:400;font-size:.85rem;color:#3d3d3d}dd{margin:0;overflow-wrap:anywhere}\
dd>dl{margin-top:.25rem}dd>ul{margin:0;padding-left:1.2rem}dt.groep,dd.groep{grid-column:1/-1}dd.groep{border-left:.2rem solid #b8c4d6;padding-left:1rem;margin-bottom:.4rem}h4{margin:1.4rem 0 .3rem}.let-op{border-left:.4rem solid #ca005d;padding:.25rem 1rem}\
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.4rem 0}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #767676;vertical-align:top}\
@media (max-width:34rem){body{padding:1rem}dl{display:block}dd{margin:0 0 .6rem}th,td{padding:.3rem .35rem .3rem 0;font-size:.85rem;overflow-wrap:anywhere}}\
@media print{body{max-width:none;padding:0}article{break-inside:avoid-page}a{color:inherit}}";

/// The report as a page.
pub fn html(report: &SubjectReport) -> String {
    let mut page = String::new();
    // A String takes whatever is written.
    let _ = write(report, &mut page);
    page
}

/// A text as HTML shows it.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

fn write(report: &SubjectReport, page: &mut String) -> fmt::Result {
    let name = Text(&report.organisatie.naam);
    // Only this style and nothing else: whatever a message holds, no reader of the page carries it out.
    let style = Hash::from_bytes(*Digest::of(STYLE.as_bytes()).as_bytes());
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'\">\n\
         <title>Uw gegevens bij {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#inhoud\">Naar de inhoud</a>\n\
         <header>\n<h1>Uw gegevens bij {name}</h1>\n\
         <p>U heeft gevraagd welke gegevens wij over u hebben. Dit is het antwoord. Het gaat over de berichten die wij via Schakel \
         met andere organisaties uitwisselen. Wat wij in andere systemen hebben, staat hier niet in.</p>\n<dl>\n"
    )?;
    pair(page, "Gemaakt op", &written_moment(report.gemaakt))?;
    pair(page, "Kenmerk", &report.kenmerk)?;
    page.write_str("</dl>\n</header>\n<main id=\"inhoud\">\n")?;
    if !report.volledig {
        page.write_str(
            "<p class=\"let-op\"><strong>Let op:</strong> wij hebben nog niet alles kunnen doorzoeken. U krijgt een nieuw overzicht zodra dat kan.</p>\n",
        )?;
    }
    summary(report, page)?;
    messages(report, page)?;
    consents::write(report, page)?;
    together::write(report, page)?;
    looks(report, page)?;
    rights(report, page)?;
    page.write_str("</main>\n</body>\n</html>\n")
}

fn pair(page: &mut String, name: &str, value: &str) -> fmt::Result {
    writeln!(page, "<dt>{}</dt><dd>{}</dd>", Text(name), Text(value))
}

/// Names, one under the other when there are more; nothing when there are none.
fn listed(page: &mut String, name: &str, values: &[impl AsRef<str>]) -> fmt::Result {
    match values {
        [] => Ok(()),
        [one] => pair(page, name, one.as_ref()),
        more => {
            write!(page, "<dt>{}</dt><dd><ul>", Text(name))?;
            for one in more {
                write!(page, "<li>{}</li>", Text(one.as_ref()))?;
            }
            page.write_str("</ul></dd>\n")
        }
    }
}

fn summary(report: &SubjectReport, page: &mut String) -> fmt::Result {
    page.write_str("<h2 id=\"kort\">In het kort</h2>\n")?;
    consents_in_short(report, page)?;
    if report.berichten.is_empty() {
        return page.write_str(
            "<p>Wij hebben via Schakel geen berichten (meer) over u. Als er eerder berichten over u waren, zijn die gewist. \
             In ons logboek staat dan nog dát er een bericht was, van en aan welke organisatie, wanneer en waarvoor, met een \
             controlegetal. Wat erin stond weten wij niet meer. Als iemand hier het bericht bekeek, verstuurde of wiste, is via \
             het logboek van raadplegingen nog te vinden dat het over u ging. Dat logboek bewaren wij zolang ons knooppunt \
             bestaat, om te kunnen laten zien wie naar uw gegevens keek.</p>\n",
        );
    }
    let count = report.berichten.len();
    if count == 1 {
        page.write_str("<p>Er is 1 bericht over u.</p>\n")?;
    } else {
        writeln!(page, "<p>Er zijn {count} berichten over u. De oudste staat bovenaan.</p>")?;
    }
    page.write_str("<table>\n<caption>Alle berichten over u</caption>\n<thead><tr><th scope=\"col\">Wanneer</th><th scope=\"col\">Wat</th><th scope=\"col\">Van</th><th scope=\"col\">Aan</th></tr></thead>\n<tbody>\n")?;
    for item in &report.berichten {
        writeln!(
            page,
            "<tr><td>{}</td><td><a href=\"#bericht-{}\">{}</a></td><td>{}</td><td>{}</td></tr>",
            Text(&written_moment(item.gemaakt)),
            item.nummer,
            Text(item.titel),
            Text(&item.van.naam),
            Text(&item.aan.naam)
        )?;
    }
    page.write_str("</tbody>\n</table>\n")
}

fn consents_in_short(report: &SubjectReport, page: &mut String) -> fmt::Result {
    match report.toestemmingen.len() {
        0 => Ok(()),
        1 => {
            page.write_str("<p>Wij weten van één <a href=\"#toestemmingen\">toestemming</a> die u gaf.</p>\n")
        }
        count => writeln!(
            page,
            "<p>Wij weten van {count} <a href=\"#toestemmingen\">toestemmingen</a> die u gaf.</p>"
        ),
    }
}

fn messages(report: &SubjectReport, page: &mut String) -> fmt::Result {
    if report.berichten.is_empty() {
        return Ok(());
    }
    page.write_str("<h2 id=\"berichten\">De berichten</h2>\n")?;
    report.berichten.iter().try_for_each(|item| message(item, report, page))
}

fn message(item: &Item, report: &SubjectReport, page: &mut String) -> fmt::Result {
    let number = item.nummer;
    writeln!(
        page,
        "<article aria-labelledby=\"bericht-{number}\">\n<h3 id=\"bericht-{number}\">{}</h3>",
        Text(item.titel)
    )?;
    if let Some(meaning) = item.uitleg {
        writeln!(page, "<p>{}</p>", Text(meaning))?;
    }
    page.write_str("<dl>\n")?;
    pair(page, "Van", &item.van.naam)?;
    pair(page, "Aan", &item.aan.naam)?;
    pair(page, "Gemaakt op", &written_moment(item.gemaakt))?;
    if let Some(at) = item.afgerond {
        pair(page, if item.sent_here { "Afgerond op" } else { "Ontvangen op" }, &written_moment(at))?;
    }
    pair(page, "Hoe het ermee staat", item.stand)?;
    if let Some(aim) = &item.doel {
        pair(page, "Waarvoor", &format!("{}. {}", aim.naam, aim.omschrijving))?;
        pair(page, "Regels hiervoor", &aim.bronnen.join("; "))?;
    }
    if let Some(stated) = &item.grondslag {
        ground(stated, report, page)?;
    }
    match item.bewaard_tot {
        Some(until) => {
            let day = until.to_zoned(exchange::calendar::dutch_time()).date();
            pair(page, "Wij bewaren dit tot", &written_day(day))?;
        }
        None => pair(
            page,
            "Wij bewaren dit tot",
            "dit is niet vastgelegd; vraag het aan onze functionaris gegevensbescherming",
        )?,
    }
    page.write_str("</dl>\n")?;
    match item.niet_getoond {
        Some(why) => {
            writeln!(page, "<h4>Wat er in het bericht staat</h4>\n<p>{}</p>", Text(withheld(why)))?;
        }
        None => fields::content(&item.fields, page)?,
    }
    page.write_str("</article>\n")
}

/// Why what a message says is not there, for whom it was about.
fn withheld(why: &str) -> &'static str {
    match why {
        "toestemming-ingetrokken" => {
            "Dit bericht is gedeeld met uw toestemming. Die hebt u ingetrokken. Daarom laten wij niet meer zien wat erin staat."
        }
        "toestemming-verlopen" => {
            "Dit bericht is gedeeld met uw toestemming. Die geldt niet meer. Daarom laten wij niet meer zien wat erin staat."
        }
        _ => "De inhoud van dit bericht is gewist. Niemand kan die nog lezen.",
    }
}

fn ground(ground: &Ground, report: &SubjectReport, page: &mut String) -> fmt::Result {
    let articles = if ground.artikelen.is_empty() {
        String::new()
    } else {
        format!(" ({})", ground.artikelen.join("; "))
    };
    pair(page, "Waarom dit mocht", &format!("{}{articles}", ground.uitleg))?;
    let of = ground.toestemming.and_then(|id| report.toestemmingen.iter().find(|consent| consent.id == id));
    if let Some(consent) = of {
        writeln!(
            page,
            "<dt>Uw toestemming</dt><dd><a href=\"#toestemming-{}\">{}</a></dd>",
            consent.id,
            Text(&consents::name(consent))
        )?;
    }
    Ok(())
}

fn looks(report: &SubjectReport, page: &mut String) -> fmt::Result {
    page.write_str("<h2 id=\"wie-keek\">Wie uw gegevens heeft bekeken</h2>\n")?;
    if report.raadplegingen.is_empty() {
        return page.write_str("<p>Niemand heeft uw gegevens in dit systeem bekeken.</p>\n");
    }
    page.write_str(
        "<p>Hieronder staat wanneer een medewerker of een systeem van ons naar uw gegevens keek, en waarom. Ook het maken \
         van dit overzicht staat erbij. De namen van medewerkers geven wij niet. Denkt u dat iemand zonder goede reden heeft \
         gekeken? Neem dan contact op met onze functionaris gegevensbescherming.</p>\n\
         <table>\n<caption>Raadplegingen, de laatste eerst</caption>\n<thead><tr><th scope=\"col\">Wanneer</th><th scope=\"col\">Door</th><th scope=\"col\">Wat</th><th scope=\"col\">Waarom</th></tr></thead>\n<tbody>\n",
    )?;
    for look in &report.raadplegingen {
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Text(&written_moment(look.wanneer)),
            Text(look.door),
            Text(done(look.wat)),
            Text(reason(look.reden))
        )?;
    }
    page.write_str("</tbody>\n</table>\n")
}

/// What somebody did, for whom it was about.
fn done(what: &str) -> &str {
    match what {
        "inzien" => "een bericht bekeken",
        "zoeken" => "berichten over u gezocht",
        "uitvoer" => "berichten over u in een bestand gezet",
        "besluit" => "een besluit genomen over een bericht of uw toestemming",
        "raadplegingen" => "nagekeken wie uw gegevens bekeek",
        other => other,
    }
}

/// Why, for whom it was about.
fn reason(why: &str) -> &str {
    match why {
        "dossier" => "voor het werk aan uw dossier",
        "inzageverzoek" => "omdat u om inzage vroeg",
        "correctieverzoek" => "omdat u om verbetering vroeg",
        "wisverzoek" => "omdat u vroeg om iets te wissen",
        "bezwaar" => "voor een bezwaar of een klacht",
        "controle" => "voor een controle",
        "incident" => "om een fout of een datalek uit te zoeken",
        "bewijs" => "om te bewijzen wat er is uitgewisseld",
        "beheer" => "voor het technisch beheer",
        other => other,
    }
}

fn rights(report: &SubjectReport, page: &mut String) -> fmt::Result {
    let organisation = &report.organisatie;
    let (contact, officer) = (Text(&organisation.contact), Text(&organisation.fg));
    write!(
        page,
        "<h2 id=\"rechten\">Uw rechten</h2>\n<ul>\n\
         <li><strong>Klopt iets niet?</strong> Dan mag u vragen om het te verbeteren of aan te vullen.</li>\n\
         <li><strong>Wilt u dat wij iets wissen?</strong> Dat mag u vragen. Soms moeten wij gegevens van de wet bewaren; dan leggen wij uit waarom.</li>\n\
         <li><strong>Bent u het niet eens met het delen van uw gegevens?</strong> Dan kunt u bezwaar maken. U kunt ook vragen om uw gegevens een tijd niet te gebruiken.</li>\n\
         <li><strong>Gaf u toestemming?</strong> Die mag u altijd intrekken. Wij geven dat door aan iedereen die uw gegevens door die toestemming kreeg.</li>\n\
         <li><strong>Wilt u uw gegevens meenemen?</strong> U kunt dit overzicht ook krijgen als bestand dat een computer kan lezen.</li>\n\
         <li><strong>Een besluit door een computer?</strong> Dat nemen wij met Schakel niet over u. Een mens beslist.</li>\n</ul>\n\
         <p>Vragen of een verzoek? Neem contact op met {}: {contact}. Onze functionaris gegevensbescherming let erop dat wij goed \
         met uw gegevens omgaan: {officer}. U hoort binnen een maand van ons. Komen wij er samen niet uit, dan kunt u een klacht \
         indienen bij de Autoriteit Persoonsgegevens (autoriteitpersoonsgegevens.nl) of naar de rechter gaan.</p>\n",
        Text(&organisation.naam)
    )
}
