//! [`Validity`], the times between which a certificate is valid: RFC 5280, section 4.1.

use std::time::{Duration, SystemTime};

use klient_apimachinery::Time;

const SEQUENCE: u8 = 0x30;
/// The version, which those of version 1 do not have.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The times between which a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
}

impl Validity {
    /// The validity of a certificate in DER, if it can be read.
    pub(crate) fn of(certificate: &[u8]) -> Option<Self> {
        let mut der = certificate;
        let mut signed = sequence(&mut der)?;
        let mut fields = sequence(&mut signed)?;
        if fields.first() == Some(&VERSION) {
            element(&mut fields)?;
        }
        // Serial number, signature and issuer.
        for _ in 0..3 {
            element(&mut fields)?;
        }
        let mut validity = sequence(&mut fields)?;
        Some(Validity { not_before: time(&mut validity)?, not_after: time(&mut validity)? })
    }
}

/// Takes the first element of DER, a time.
fn time(der: &mut &[u8]) -> Option<SystemTime> {
    let (tag, text) = element(der)?;
    let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
    let (year, rest) = match tag {
        // Two digits, of which those below 50 are in this century.
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            (format!("{}{year}", if year < "50" { "20" } else { "19" }), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2);
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    let time: Time = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(time.unix().try_into().ok()?))
}

/// Takes the first element of DER, a sequence, and returns its content.
fn sequence<'a>(der: &mut &'a [u8]) -> Option<&'a [u8]> {
    element(der).filter(|(tag, _)| *tag == SEQUENCE).map(|(_, content)| content)
}

/// Takes the first element of DER, and returns its tag and content.
fn element<'a>(der: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[tag, first], mut rest) = der.split_first_chunk::<2>()?;
    let mut length = usize::from(first);
    if length >= 0x80 {
        let (digits, behind) =
            rest.split_at_checked(length - 0x80).filter(|(digits, _)| digits.len() <= 4)?;
        length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    *der = behind;
    Some((tag, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_validity_of_a_certificate_is_read() {
        for (year, seconds) in [(2031, 1_924_992_000), (2061, 2_871_763_200)] {
            let mut params = rcgen::CertificateParams::default();
            params.not_before = rcgen::date_time_ymd(2001, 9, 9);
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let expected = Validity { not_before: at(999_993_600), not_after: at(seconds) };
            assert_eq!(Validity::of(certificate.der()), Some(expected));
            // A part of it is none.
            for length in [0, 1, 2, 20, 100] {
                assert_eq!(Validity::of(&certificate.der()[..length]), None);
            }
        }
    }
}
