//! Certificates: a request for the group's authority, or an authority of one's own for trying things out.

use std::net::IpAddr;

use exchange::{oin::Oin, random::Random};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};

/// `serialNumber` in a distinguished name (X.520): where PKIoverheid puts the OIN.
const SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];
const SECONDS_PER_DAY: i64 = 86_400;
/// How long a certificate for trying out is valid.
const TRIAL_DAYS: i64 = 90;
/// How long an authority for trying out is valid.
const TRIAL_AUTHORITY_DAYS: i64 = 365;

/// A certificate or request with its private key, both PEM.
pub struct Pair {
    /// The certificate (chain) or request.
    pub public: String,
    /// The private key.
    pub private: zeroize::Zeroizing<String>,
}

/// Who a certificate is for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The organisation's OIN.
    pub oin: Oin,
    /// Its name.
    pub name: &'a str,
    /// The host by which partners reach the node: a name or an IP address.
    pub host: &'a str,
}

/// An authority of one's own: fit for a demonstration or a test, not for residents' data.
pub struct TrialAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl TrialAuthority {
    /// Makes an authority called `name`.
    pub fn create(name: &str, now: Timestamp, random: &dyn Random) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid(&mut params, now, TRIAL_AUTHORITY_DAYS, random);
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Its own certificate, PEM: the trust anchor of the group.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its private key, PEM.
    pub fn private_key(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// An authority that was made before.
    pub fn load(certificate: &str, key: &str) -> Result<Self, rcgen::Error> {
        let issuer = Issuer::from_ca_cert_pem(certificate, KeyPair::from_pem(key)?)?;
        Ok(Self { issuer, certificate: certificate.to_owned() })
    }

    /// Issues a certificate for a node.
    pub fn issue(
        &self,
        subject: Subject<'_>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Pair, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = params(subject)?;
        valid(&mut params, now, TRIAL_DAYS, random);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Pair { public: certificate.pem(), private: key.serialize_pem().into() })
    }
}

/// A certificate signing request (PKCS #10) for the group's authority.
pub fn request(subject: Subject<'_>) -> Result<Pair, rcgen::Error> {
    let key = KeyPair::generate()?;
    let request = params(subject)?.serialize_request(&key)?;
    Ok(Pair { public: request.pem()?, private: key.serialize_pem().into() })
}

fn params(subject: Subject<'_>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "NL");
    name.push(DnType::OrganizationName, subject.name);
    name.push(DnType::CommonName, subject.host);
    name.push(DnType::CustomDnType(SERIAL_NUMBER.to_vec()), subject.oin.as_str());
    params.distinguished_name = name;
    params.subject_alt_names = vec![match subject.host.parse::<IpAddr>() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(subject.host.try_into()?),
    }];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

/// From yesterday, since clocks differ, for so many days.
fn valid(params: &mut CertificateParams, now: Timestamp, days: i64, random: &dyn Random) {
    let date = |seconds: i64| {
        let day = Timestamp::from_second(seconds).unwrap_or(now).to_zoned(jiff::tz::TimeZone::UTC);
        rcgen::date_time_ymd(
            day.year().into(),
            u8::try_from(day.month()).unwrap_or(1),
            u8::try_from(day.day()).unwrap_or(1),
        )
    };
    let seconds = now.as_second();
    params.not_before = date(seconds - SECONDS_PER_DAY);
    params.not_after = date(seconds + days * SECONDS_PER_DAY);
    let mut serial = [0; 16];
    random.fill(&mut serial);
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
}

#[cfg(test)]
mod tests;
