//! [`ObjectRef`], the reference to an object in a line: `namespace/name`.

use std::fmt;

use klient_apimachinery::{Object, ObjectKey};

use crate::LogFormat;
use crate::encoding::write_value;
use crate::format::{push_json_string, push_quoted};

/// A reference to an object: `"namespace/name"` in text, `{"name":"…","namespace":"…"}` in JSON.
///
/// ```
/// use klient_klog::{Recorder, info_s, kref};
///
/// let recorder = Recorder::start(0);
/// info_s!("Deleted", pod = %kref("shop", "web-0"), node = %kref("", "n1"));
/// assert_eq!(recorder.lines(), [r#"I "Deleted" pod="shop/web-0" node="n1""#]);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef<'a> {
    namespace: &'a str,
    name: &'a str,
}

/// Returns the reference to an object: typed, unstructured, or the handle of a cache (klog's `KObj`).
#[doc(alias = "KObj")]
pub fn kobj<K: Object>(object: &K) -> ObjectRef<'_> {
    kref(object.namespace().unwrap_or_default(), object.name())
}

/// Returns the reference to the object with a key.
pub fn kkey(key: &ObjectKey) -> ObjectRef<'_> {
    kref(key.namespace().unwrap_or_default(), key.name())
}

/// Returns the reference to the object with a namespace, which is empty for cluster-scoped objects, and a name (klog's
/// `KRef`).
#[doc(alias = "KRef")]
pub fn kref<'a>(namespace: &'a str, name: &'a str) -> ObjectRef<'a> {
    ObjectRef { namespace, name }
}

/// Returns the references to several objects (klog's `KObjSlice`).
///
/// ```
/// use klient_apimachinery::ObjectKey;
/// use klient_klog::{Recorder, info_s, kkey, kobjs};
///
/// let keys = [ObjectKey::new(Some("shop"), "web-0"), ObjectKey::new(Some("shop"), "web-1")];
/// let recorder = Recorder::start(0);
/// info_s!("Evicted", pods = %kobjs(keys.iter().map(kkey)));
/// assert_eq!(recorder.lines(), [r#"I "Evicted" pods=["shop/web-0","shop/web-1"]"#]);
/// ```
#[doc(alias = "KObjSlice")]
#[doc(alias = "KObjs")]
pub fn kobjs<'a>(objects: impl IntoIterator<Item = ObjectRef<'a>>) -> ObjectRefs<'a> {
    ObjectRefs(objects.into_iter().collect())
}

impl ObjectRef<'_> {
    fn push(self, format: LogFormat, out: &mut String) {
        let ObjectRef { namespace, name } = self;
        match format {
            // A name that comes from elsewhere than the API may have characters to be escaped.
            LogFormat::Text => push_quoted(out, &self.plain()),
            LogFormat::Json => {
                out.push_str("{\"name\":");
                push_json_string(out, name);
                if !namespace.is_empty() {
                    out.push_str(",\"namespace\":");
                    push_json_string(out, namespace);
                }
                out.push('}');
            }
        }
    }

    fn plain(self) -> String {
        match self.namespace {
            "" => self.name.to_owned(),
            namespace => [namespace, "/", self.name].concat(),
        }
    }
}

impl fmt::Display for ObjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_value(f, |format, out| self.push(format, out), |f| f.write_str(&self.plain()))
    }
}

impl fmt::Debug for ObjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// References to several objects: see [`kobjs`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ObjectRefs<'a>(Vec<ObjectRef<'a>>);

impl fmt::Display for ObjectRefs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raw = |format: LogFormat, out: &mut String| {
            out.push('[');
            for (index, object) in self.0.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                object.push(format, out);
            }
            out.push(']');
        };
        let plain = |f: &mut fmt::Formatter<'_>| {
            let names: Vec<String> = self.0.iter().map(|object| object.plain()).collect();
            write!(f, "[{}]", names.join(" "))
        };
        write_value(f, raw, plain)
    }
}

impl fmt::Debug for ObjectRefs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
