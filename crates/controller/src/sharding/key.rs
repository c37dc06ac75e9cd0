//! [`ShardKey`], a key of work as its hash.

use std::fmt;

use klient_apimachinery::ObjectKey;

/// A key of work as its hash: of an [`ObjectKey`], a text or bytes.
///
/// The hash is FNV-1a of 64 bits over the bytes, finished by the mixer of SplitMix64. It is the same in every build and on
/// every platform: replicas of different versions share keys. It does not resist those who choose names to collide; keys
/// with the same hash have the same owner, and are in hand together.
///
/// ```
/// use klient_apimachinery::ObjectKey;
/// use klient_controller::sharding::ShardKey;
///
/// let key = ObjectKey::new(Some("default"), "web-0");
/// assert_eq!(ShardKey::from(&key), ShardKey::from("default/web-0"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardKey(pub(super) u64);

impl ShardKey {
    /// The weight of this key for a replica, by the hash of the replica's identity. The greatest one owns the key.
    pub(super) fn weight(self, member: u64) -> u64 {
        mix(self.0 ^ member)
    }
}

impl From<&[u8]> for ShardKey {
    fn from(bytes: &[u8]) -> Self {
        const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let fnv = bytes.iter().fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
        ShardKey(mix(fnv))
    }
}

impl From<&str> for ShardKey {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<&String> for ShardKey {
    fn from(text: &String) -> Self {
        text.as_bytes().into()
    }
}

impl From<&ObjectKey> for ShardKey {
    fn from(key: &ObjectKey) -> Self {
        key.as_bytes().into()
    }
}

impl fmt::Debug for ShardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The mixer of SplitMix64 (Steele, Lea and Flood 2014): a permutation in which each bit depends on all.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
