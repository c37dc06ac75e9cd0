//! [`Usages`], the purposes of a certificate's key.

/// The usages of keyUsage, by their bit.
const KEY_USAGES: [(&str, u8); 10] = [
    ("signing", 0),
    ("digital signature", 0),
    ("content commitment", 1),
    ("key encipherment", 2),
    ("data encipherment", 3),
    ("key agreement", 4),
    ("cert sign", 5),
    ("crl sign", 6),
    ("encipher only", 7),
    ("decipher only", 8),
];

/// The usages of extKeyUsage, by their object identifier.
const EXTENDED_KEY_USAGES: [(&str, &[u64]); 13] = [
    ("any", &[2, 5, 29, 37, 0]),
    ("server auth", &[1, 3, 6, 1, 5, 5, 7, 3, 1]),
    ("client auth", &[1, 3, 6, 1, 5, 5, 7, 3, 2]),
    ("code signing", &[1, 3, 6, 1, 5, 5, 7, 3, 3]),
    ("email protection", &[1, 3, 6, 1, 5, 5, 7, 3, 4]),
    ("s/mime", &[1, 3, 6, 1, 5, 5, 7, 3, 4]),
    ("ipsec end system", &[1, 3, 6, 1, 5, 5, 7, 3, 5]),
    ("ipsec tunnel", &[1, 3, 6, 1, 5, 5, 7, 3, 6]),
    ("ipsec user", &[1, 3, 6, 1, 5, 5, 7, 3, 7]),
    ("timestamping", &[1, 3, 6, 1, 5, 5, 7, 3, 8]),
    ("ocsp signing", &[1, 3, 6, 1, 5, 5, 7, 3, 9]),
    ("microsoft sgc", &[1, 3, 6, 1, 4, 1, 311, 10, 3, 3]),
    ("netscape sgc", &[2, 16, 840, 1, 113_730, 4, 1]),
];

/// The purposes of a certificate's key.
#[derive(Default)]
pub(crate) struct Usages {
    /// The bits of keyUsage, the first in the highest one.
    pub(super) key: u16,
    /// Object identifiers.
    pub(super) extended: Vec<&'static [u64]>,
}

impl Usages {
    /// The purposes that a CertificateSigningRequest names.
    pub(crate) fn of(names: &[&str]) -> Self {
        let mut usages = Usages::default();
        for name in names {
            if let Some((_, bit)) = KEY_USAGES.iter().find(|(known, _)| known == name) {
                usages.key |= 0x8000 >> bit;
            }
        }
        for (name, identifier) in EXTENDED_KEY_USAGES {
            if names.contains(&name) && !usages.extended.contains(&identifier) {
                usages.extended.push(identifier);
            }
        }
        usages
    }
}
