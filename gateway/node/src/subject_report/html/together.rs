//! What this organisation brought together itself.

use std::fmt::{self, Write as _};

use schemas::written_moment;

use super::{super::SubjectReport, Text};

pub(super) fn write(report: &SubjectReport, page: &mut String) -> fmt::Result {
    if report.samengebracht.is_empty() {
        return Ok(());
    }
    page.write_str(
        "<h2 id=\"samengebracht\">Wat wij bij elkaar brachten</h2>\n\
         <p>Verschillende organisaties stuurden ons een signaal over u of over uw adres. Wij kijken of die bij elkaar horen, zodat \
         u één keer van ons hoort. De organisaties die ze stuurden weten dat niet van elkaar.</p>\n<ul>\n",
    )?;
    for one in &report.samengebracht {
        let since = written_moment(one.sinds);
        write!(page, "<li>Sinds {}: ", Text(&since))?;
        for (position, signal) in one.signalen.iter().enumerate() {
            let how = if signal.door_medewerker { "door een medewerker" } else { "vanzelf" };
            let (between, number) = (if position == 0 { "" } else { ", " }, signal.nummer);
            let from = Text(&signal.van.naam);
            write!(page, "{between}het <a href=\"#bericht-{number}\">signaal van {from}</a> ({how})")?;
        }
        match one.anderen {
            0 => {}
            1 => page.write_str(", en een signaal over iemand anders op dat adres")?,
            count => write!(page, ", en {count} signalen over iemand anders op dat adres")?,
        }
        page.write_str(".</li>\n")?;
    }
    page.write_str("</ul>\n")
}
