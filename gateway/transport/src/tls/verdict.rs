//! Why a handshake failed, kept where it was seen: the layers above only pass on that it did.

use std::sync::{Arc, OnceLock};

use exchange::oin::Oin;
use rustls::{AlertDescription, CertificateError, Error, pki_types::ServerName};

use crate::{CertificateProblem, LinkError, Side};

/// The first thing that was found wrong with a connection's certificates, if any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict(Arc<OnceLock<Finding>>);

#[derive(Debug)]
enum Finding {
    Certificate(Side, CertificateProblem),
    WrongOin { expected: Oin, found: Oin },
    Protocol(String),
}

impl Verdict {
    /// The finding as an error about the partner at `address`.
    pub(crate) fn error(&self, address: &str) -> Option<LinkError> {
        let address = address.to_owned();
        Some(match self.0.get()? {
            Finding::Certificate(side, problem) => {
                LinkError::Tls { address, side: *side, problem: problem.clone() }
            }
            Finding::WrongOin { expected, found } => {
                LinkError::WrongOin { address, expected: *expected, found: *found }
            }
            Finding::Protocol(reason) => LinkError::Protocol { address, reason: reason.clone() },
        })
    }

    pub(super) fn wrong_oin(&self, expected: Oin, found: Oin) {
        self.find(Finding::WrongOin { expected, found });
    }

    pub(super) fn partner_problem(&self, problem: CertificateProblem) {
        self.find(Finding::Certificate(Side::Partner, problem));
    }

    pub(super) fn refused_partner(&self, error: &Error, name: &ServerName<'_>) {
        if let Error::InvalidCertificate(error) = error {
            self.partner_problem(problem(error, name));
        }
    }

    /// What the TLS library ended a connection with.
    pub(crate) fn tls(&self, error: &Error) {
        match error {
            Error::AlertReceived(alert) => self.alert(*alert),
            Error::NoCertificatesPresented => self.partner_problem(CertificateProblem::NotPresented),
            // Found by the verifier, which knows more.
            Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {}
            Error::InvalidCertificate(error) => {
                self.partner_problem(CertificateProblem::Unsuitable { reason: format!("{error:?}") });
            }
            other => self.find(Finding::Protocol(other.to_string())),
        }
    }

    /// The partner broke off the handshake with this alert.
    pub(crate) fn alert(&self, alert: AlertDescription) {
        let finding = match refusal(alert) {
            Some(problem) => Finding::Certificate(Side::Own, problem),
            None if alert == AlertDescription::CloseNotify => return,
            None => Finding::Protocol(format!("TLS alert {alert:?}")),
        };
        self.find(finding);
    }

    fn find(&self, finding: Finding) {
        // The first is the cause; what follows are consequences.
        let _ = self.0.set(finding);
    }
}

/// What is wrong with the certificate of `name`.
fn problem(error: &CertificateError, name: &ServerName<'_>) -> CertificateProblem {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateProblem::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::Revoked => CertificateProblem::Revoked,
        // A signature that does not fit means an issuer that only has the name of one we know.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => CertificateProblem::UnknownIssuer,
        CertificateError::UnknownRevocationStatus => CertificateProblem::RevocationUnknown,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::WrongHost { host: name.to_str().into_owned() }
        }
        other => CertificateProblem::Unsuitable { reason: other.to_string() },
    }
}

/// What the partner has against our certificate, when the alert is about that (RFC 8446 §6.2).
fn refusal(alert: AlertDescription) -> Option<CertificateProblem> {
    use AlertDescription as Alert;
    Some(match alert {
        Alert::CertificateExpired => CertificateProblem::Expired,
        Alert::CertificateRevoked => CertificateProblem::Revoked,
        Alert::UnknownCA | Alert::DecryptError => CertificateProblem::UnknownIssuer,
        Alert::CertificateRequired | Alert::NoCertificate => CertificateProblem::NotPresented,
        Alert::AccessDenied => CertificateProblem::Nameless,
        Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::CertificateUnknown => {
            CertificateProblem::Unsuitable { reason: format!("{alert:?}") }
        }
        _ => return None,
    })
}
