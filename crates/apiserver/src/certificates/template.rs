//! [`Template`], a certificate to be signed.

use klient_apimachinery::Time;
use rcgen::SigningKey;
use yasna::models::{GeneralizedTime, ObjectIdentifier, UTCTime};
use yasna::{DERWriter, DERWriterSeq, Tag};

use super::Usages;

/// ECDSA with SHA-256 (RFC 5758).
const ECDSA_WITH_SHA256: [u64; 7] = [1, 2, 840, 10045, 4, 3, 2];

const KEY_USAGE: [u64; 4] = [2, 5, 29, 15];
const SUBJECT_ALT_NAME: [u64; 4] = [2, 5, 29, 17];
const BASIC_CONSTRAINTS: [u64; 4] = [2, 5, 29, 19];
const EXTENDED_KEY_USAGE: [u64; 4] = [2, 5, 29, 37];

/// A certificate to be signed (RFC 5280), which is not one of an authority.
pub(crate) struct Template {
    /// The DER of the subject.
    pub(crate) subject: Vec<u8>,
    /// The DER of the public key.
    pub(crate) public_key: Vec<u8>,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
    pub(crate) usages: Usages,
    /// The DER of the value of subjectAltName; empty if there is none.
    pub(crate) alt_names: Vec<u8>,
}

impl Template {
    /// The DER of the certificate, signed by an issuer whose name is DER and whose key is one for ECDSA with SHA-256.
    ///
    /// # Errors
    ///
    /// If the system has no randomness.
    pub(crate) fn sign(&self, issuer: &[u8], key: &impl SigningKey) -> Result<Vec<u8>, rcgen::Error> {
        let signed = yasna::construct_der(|writer| self.to_be_signed(writer, issuer));
        let signature = key.sign(&signed)?;
        Ok(yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_der(&signed);
                algorithm(writer.next());
                writer.next().write_bitvec_bytes(&signature, signature.len() * 8);
            });
        }))
    }

    fn to_be_signed(&self, writer: DERWriter<'_>, issuer: &[u8]) {
        const VERSION_3: u8 = 2;
        writer.write_sequence(|writer| {
            writer.next().write_tagged(Tag::context(0), |writer| writer.write_u8(VERSION_3));
            writer.next().write_bigint_bytes(uuid::Uuid::new_v4().as_bytes(), true);
            algorithm(writer.next());
            writer.next().write_der(issuer);
            writer.next().write_sequence(|writer| {
                write_time(writer.next(), self.not_before);
                write_time(writer.next(), self.not_after);
            });
            writer.next().write_der(&self.subject);
            writer.next().write_der(&self.public_key);
            writer.next().write_tagged(Tag::context(3), |writer| {
                writer.write_sequence(|writer| self.extensions(writer));
            });
        });
    }

    fn extensions(&self, writer: &mut DERWriterSeq<'_>) {
        if self.usages.key != 0 {
            let bits = 16 - self.usages.key.trailing_zeros() as usize;
            let bytes = self.usages.key.to_be_bytes();
            let bytes = &bytes[..bits.div_ceil(8)];
            let value = yasna::construct_der(|writer| writer.write_bitvec_bytes(bytes, bits));
            extension(writer, &KEY_USAGE, true, &value);
        }
        if !self.usages.extended.is_empty() {
            let value = yasna::construct_der(|writer| {
                writer.write_sequence(|writer| {
                    for identifier in &self.usages.extended {
                        writer.next().write_oid(&ObjectIdentifier::from_slice(identifier));
                    }
                });
            });
            extension(writer, &EXTENDED_KEY_USAGE, false, &value);
        }
        // No authority: that is the default, which DER omits.
        let value = yasna::construct_der(|writer| writer.write_sequence(|_| {}));
        extension(writer, &BASIC_CONSTRAINTS, true, &value);
        if !self.alt_names.is_empty() {
            extension(writer, &SUBJECT_ALT_NAME, false, &self.alt_names);
        }
    }
}

fn extension(writer: &mut DERWriterSeq<'_>, identifier: &[u64], is_critical: bool, value: &[u8]) {
    writer.next().write_sequence(|writer| {
        writer.next().write_oid(&ObjectIdentifier::from_slice(identifier));
        if is_critical {
            writer.next().write_bool(true);
        }
        writer.next().write_bytes(value);
    });
}

fn algorithm(writer: DERWriter<'_>) {
    writer.write_sequence(|writer| {
        writer.next().write_oid(&ObjectIdentifier::from_slice(&ECDSA_WITH_SHA256));
    });
}

/// Writes a time, in the form that RFC 5280 has for its year.
fn write_time(writer: DERWriter<'_>, time: Time) {
    const YEAR_2050: Time = Time::from_unix(2_524_608_000);
    // `2026-01-01T00:00:00Z` without its punctuation.
    let mut digits: String = time.to_string().chars().filter(char::is_ascii_digit).collect();
    digits.push('Z');
    if time.unix() < YEAR_2050.unix() {
        let time = UTCTime::parse(&digits.as_bytes()[2..]).expect("it is written in its form");
        writer.write_utctime(&time);
    } else {
        let time = GeneralizedTime::parse(digits.as_bytes()).expect("it is written in its form");
        writer.write_generalized_time(&time);
    }
}
