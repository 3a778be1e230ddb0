//! What could not be done, as RFC 9457 wants it: Dutch for people, a code for programs, nothing of the inside.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use schemas::Violation;
use serde::Serialize;
use store::StoreError;

/// The media type (RFC 9457 §3).
const MEDIA_TYPE: &str = "application/problem+json";
/// How long to wait when the store cannot take anything now, in seconds.
const STORE_RETRY: u64 = 10;

/// Something that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    /// Where: a JSON pointer into the body.
    pub(super) veld: String,
    /// What is wrong, after "dit veld".
    pub(super) probleem: String,
    /// What should be there.
    pub(super) verwacht: String,
}

impl Fault {
    /// With a field below `prefix`.
    pub(super) fn of(prefix: &str, violation: &Violation) -> Self {
        Self {
            veld: format!("{prefix}{}", violation.field),
            probleem: violation.problem.clone(),
            verwacht: violation.expected.clone(),
        }
    }
}

/// A request that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    status: u16,
    code: &'static str,
    title: &'static str,
    detail: String,
    faults: Vec<Fault>,
    retry_after: Option<u64>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    fouten: &'a [Fault],
}

impl Problem {
    fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), faults: Vec::new(), retry_after: None }
    }

    /// The request cannot be read, or asks what cannot be.
    pub(super) fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(400, "verzoek-onjuist", "Het verzoek klopt niet", detail)
    }

    /// What was handed over is not valid.
    pub(super) fn invalid(detail: impl Into<String>, faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::new(400, "ongeldig", "De gegevens kloppen niet", detail) }
    }

    /// Nobody says who asks, or not in a way that is believed. Never why: who guesses learns nothing.
    pub(super) fn unknown_client() -> Self {
        let detail = "Toon een clientcertificaat dat bij [[api.clienten]] staat, of stuur een geldig token mee: `Authorization: Bearer …`.";
        Self::new(401, "niet-aangemeld", "U bent niet aangemeld", detail)
    }

    /// The client may not do this.
    pub(super) fn forbidden(roles: &str) -> Self {
        let detail =
            format!("Hiervoor is een van deze rollen nodig: {roles}. Vraag de beheerder van het knooppunt.");
        Self::new(403, "geen-rol", "Dit mag u niet", detail)
    }

    /// A client of this role may not hand over documents of these kinds.
    pub(super) fn not_to_submit(faults: Vec<Fault>) -> Self {
        let detail = "Bij `fouten` staan documenten die u niet mag aanbieden: een antwoord geeft een medewerker, en wat bij een toestemming of een intrekking hoort zegt het knooppunt zelf. Er is niets verstuurd. /v1/overdrachten, /v1/berichten/{bericht}/terugkoppelingen en /v1/toestemmingen zijn daarvoor.";
        Self { faults, ..Self::new(403, "soort-niet-toegestaan", "Dit mag u niet aanbieden", detail) }
    }

    /// There is none, or none that this client may know of.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, "niet-gevonden", "Niet gevonden", format!("{what} is er niet, of niet voor u."))
    }

    /// No such path.
    pub(super) fn no_such_path() -> Self {
        let detail = "Dit pad bestaat niet in versie 1 van deze API; /v1/openapi.json noemt ze.";
        Self::new(404, "adres-onbekend", "Onbekend adres", detail)
    }

    /// The path is for other methods.
    pub(super) fn no_such_method() -> Self {
        let detail = "Dit kan niet op dit adres; /v1/openapi.json noemt wat wel kan.";
        Self::new(405, "methode-onbekend", "Dit kan hier niet", detail)
    }

    /// The body did not come in time.
    pub(super) fn too_slow() -> Self {
        let detail = "De inhoud van het verzoek kwam niet op tijd binnen. Probeer het opnieuw.";
        Self::new(408, "te-traag", "Het verzoek kwam niet op tijd", detail)
    }

    /// It contradicts what is there.
    pub(super) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(409, code, "Dit botst met wat er al is", detail)
    }

    /// Whoever decides saw something else than what is there.
    pub(super) fn outdated(detail: impl Into<String>) -> Self {
        Self::new(412, "versie-verouderd", "Dit is intussen veranderd", detail)
    }

    /// Too much at once.
    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("Een verzoek is hooguit {limit} bytes. Verdeel het over kleinere verzoeken.");
        Self::new(413, "te-groot", "Het verzoek is te groot", detail)
    }

    /// Another media type.
    pub(super) fn not_json() -> Self {
        let detail = "Stuur JSON: `Content-Type: application/json`, zonder Content-Encoding.";
        Self::new(415, "mediatype-onbekend", "Onbekend mediatype", detail)
    }

    /// Too often.
    pub(super) fn too_many(seconds: u64) -> Self {
        let detail = "Er komen te veel verzoeken. Wacht zo lang als Retry-After zegt, en ga dan verder.";
        Self { retry_after: Some(seconds), ..Self::new(429, "te-veel", "Te veel verzoeken", detail) }
    }

    /// Something of ours broke; the log says what.
    pub(super) fn failed() -> Self {
        let detail = "Het knooppunt kon het verzoek niet verwerken. Probeer het later opnieuw; blijft het misgaan, vraag dan de beheerder naar het logboek van het programma.";
        Self::new(500, "storing", "Storing", detail)
    }

    /// Not now.
    pub(super) fn unavailable(seconds: u64) -> Self {
        let detail =
            "Het knooppunt kan dit nu niet verwerken. Probeer het straks opnieuw; er is niets verloren.";
        Self {
            retry_after: Some(seconds),
            ..Self::new(503, "niet-beschikbaar", "Even niet beschikbaar", detail)
        }
    }

    /// The same, to be tried again after so many seconds.
    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// As it goes over the line.
    pub(super) fn into_response(self) -> Response<Body> {
        let document = Document {
            r#type: format!("urn:schakel:probleem:{}", self.code),
            title: self.title,
            status: self.status,
            detail: &self.detail,
            fouten: &self.faults,
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&document).unwrap_or_default()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"schakel\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, remedy = error.remedy(), "the store cannot take a request of the API");
        match error {
            StoreError::Corrupt(_) | StoreError::Conflict(_) | StoreError::NotFound(_) => Self::failed(),
            _ => Self::unavailable(STORE_RETRY),
        }
    }
}
