//! [`Known`], the names that an object has in one run only, and that which they have in common in all runs.

use std::collections::{HashMap, HashSet};

use klient_apimachinery::{Object as _, Unstructured};
use klient_apiserver::StoredObject;
use serde_json::Value;

use crate::identity::{Identity, resource_name};

/// The version of the storage of a play before its first object: a number that other numbers are not near.
pub(crate) const FIRST_VERSION: u64 = 734_000_000;

/// More versions than a play has.
const VERSIONS: u64 = 10_000_000;

/// The uids and generated names of the objects that are, or were, in a run.
#[derive(Default)]
pub(crate) struct Known {
    uids: HashMap<String, Identity>,
    /// The stable names of objects with generated names, by name.
    generated: HashMap<String, String>,
}

/// The objects that exist at a moment.
pub(crate) struct Live<'a> {
    uids: HashSet<&'a str>,
    names: HashSet<&'a str>,
}

impl<'a> Live<'a> {
    pub(crate) fn new(objects: &'a [StoredObject]) -> Live<'a> {
        Live {
            uids: objects.iter().map(StoredObject::uid).collect(),
            names: objects.iter().map(StoredObject::name).collect(),
        }
    }
}

impl Known {
    /// The identity of an object.
    pub(crate) fn identity(&self, stored: &StoredObject, object: &Unstructured) -> Identity {
        let info = stored.resource();
        self.identity_in(&resource_name(&info.group, &info.plural), stored.namespace(), object)
    }

    /// The identity of an object of a resource.
    pub(crate) fn identity_in(
        &self,
        resource: &str,
        namespace: Option<&str>,
        object: &Unstructured,
    ) -> Identity {
        let namespace = namespace.map(|namespace| self.stable(namespace));
        Identity { resource: resource.to_owned(), namespace, name: self.stable_name(object) }
    }

    /// Adds the objects of a server that are not known yet, such as one whose creator does not have the answer yet. Those
    /// that are not younger than a version, of an empty cluster, have no generated names.
    pub(crate) fn learn(&mut self, objects: &[StoredObject], since: u64) {
        let (mut new, mut names) = (Vec::new(), Vec::new());
        for stored in objects.iter().filter(|stored| !self.uids.contains_key(stored.uid())) {
            if stored.resource_version() > since {
                new.push((stored, stored.to_unstructured()));
            } else {
                names.push((stored.uid().to_owned(), Identity::of_plain(stored)));
            }
        }
        self.uids.extend(names);
        // Names may have the names of others in them, whichever is known first.
        for _ in 0..2 {
            for (stored, object) in &new {
                self.add(&self.identity(stored, object), object);
            }
        }
    }

    /// Returns true if an object refers to one that is not known.
    pub(crate) fn is_puzzled_by(&self, object: &Unstructured) -> bool {
        object.0.values().any(|value| self.has_unknown(value, object.uid()))
    }

    fn has_unknown(&self, value: &Value, own: &str) -> bool {
        match value {
            Value::Object(map) => map.iter().any(|(key, value)| {
                self.has_unknown_word(key, own) || key != "managedFields" && self.has_unknown(value, own)
            }),
            Value::Array(values) => values.iter().any(|value| self.has_unknown(value, own)),
            Value::String(text) => self.has_unknown_word(text, own),
            _ => false,
        }
    }

    /// Returns true if a text has a uid that is not known, and not its own.
    pub(crate) fn has_unknown_word(&self, text: &str, own: &str) -> bool {
        let dashes = text.match_indices('-').filter_map(|(dash, _)| dash.checked_sub(FIRST_DASH));
        let mut uids = dashes.filter_map(|at| uid_at(text, at));
        uids.any(|uid| uid != own && !self.uids.contains_key(uid))
    }

    /// The identity of an object with a uid, which is or was.
    pub(crate) fn with_uid(&self, uid: &str) -> Option<&Identity> {
        self.uids.get(uid)
    }

    /// Adds an object.
    pub(crate) fn add(&mut self, identity: &Identity, object: &Unstructured) {
        if !object.uid().is_empty() {
            self.uids.insert(object.uid().to_owned(), identity.clone());
        }
        if generate_name(object).is_some() && !object.name().is_empty() {
            self.generated.insert(object.name().to_owned(), identity.name.clone());
        }
    }

    /// The name of an object, with `*` for a part that the server has generated, or will.
    pub(crate) fn stable_name(&self, object: &Unstructured) -> String {
        match generate_name(object) {
            Some(prefix) => format!("{}*", self.stable(prefix)),
            None => self.stable(object.name()),
        }
    }

    /// A text with replacements, which do not tell if an object exists.
    pub(crate) fn stable(&self, text: &str) -> String {
        self.replaced(text, None).unwrap_or_else(|| text.to_owned())
    }

    /// A text in which the words that an object has in one run only are replaced: uids by the names of their objects,
    /// generated names by their prefixes, resource versions. Nothing if there are none.
    pub(crate) fn replaced(&self, text: &str, live: Option<&Live<'_>>) -> Option<String> {
        let (mut replaced, mut copied, mut at) = (String::new(), 0, 0);
        while at < text.len() {
            match self.word_at(text, at, live) {
                Some((length, word)) => {
                    replaced.push_str(&text[copied..at]);
                    replaced.push_str(&word);
                    at += length;
                    copied = at;
                }
                None => at += 1,
            }
        }
        (copied > 0).then(|| replaced + &text[copied..])
    }

    /// The length of a word to be replaced that begins at a position, and its replacement.
    fn word_at(&self, text: &str, at: usize, live: Option<&Live<'_>>) -> Option<(usize, String)> {
        let bytes = text.as_bytes();
        let is_word = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_alphanumeric);
        if !is_word(at) {
            return None;
        }
        // Most positions are within a word, and no uid begins there.
        if bytes.get(at + FIRST_DASH) == Some(&b'-')
            && let Some(identity) = uid_at(text, at).and_then(|uid| self.uids.get(uid))
        {
            let is_live = live.is_none_or(|live| live.uids.contains(&text[at..at + UID]));
            let former = if is_live { "" } else { "a former " };
            return Some((UID, format!("(uid of {former}{identity})")));
        }
        if at > 0 && is_word(at - 1) {
            return None;
        }
        let rest = &text[at..];
        let is_whole = |length: usize| !is_word(at + length);
        let generated = self.generated.iter().filter(|(name, _)| rest.starts_with(&***name));
        let longest = generated.filter(|(name, _)| is_whole(name.len())).max_by_key(|(name, _)| name.len());
        if let Some((name, stable)) = longest {
            let is_live = live.is_none_or(|live| live.names.contains(&**name));
            return Some((name.len(), format!("{stable}{}", if is_live { "" } else { "(former)" })));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let is_version = is_whole(digits) && rest[..digits].parse().is_ok_and(is_version);
        is_version.then(|| (digits, VERSION.to_owned()))
    }
}

/// The replacement of a resource version.
pub(crate) const VERSION: &str = "(a resource version)";

/// Returns true if a number is a resource version of a play.
pub(crate) fn is_version(number: u64) -> bool {
    (FIRST_VERSION..FIRST_VERSION + VERSIONS).contains(&number)
}

/// The prefix of a name that is generated from it.
pub(crate) fn generate_name(object: &Unstructured) -> Option<&str> {
    let prefix = object["metadata"]["generateName"].as_str().filter(|prefix| !prefix.is_empty());
    prefix.filter(|prefix| object.name().is_empty() || object.name().starts_with(prefix))
}

/// The length of a uid.
const UID: usize = 36;

/// The position of the first dash of a uid.
const FIRST_DASH: usize = 8;

/// The text at a position, if it looks like a uid.
fn uid_at(text: &str, at: usize) -> Option<&str> {
    let uid = text.get(at..at + UID)?;
    let is_uid = uid.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    is_uid.then_some(uid)
}
