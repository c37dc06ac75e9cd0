//! [`ObjectKey`], the name of an object within its resource.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::go::quoted;
use crate::object::Object;
use crate::value::Str;

/// The name of an object within its resource: `NAMESPACE/NAME`, or `NAME` for a cluster-scoped one, as client-go's
/// `MetaNamespaceKeyFunc` writes it.
///
/// Work queues hold it, and caches find objects by it. It dereferences to its string, so that it can be given to
/// whatever takes a key as `&str`.
///
/// ```
/// use klient_apimachinery::ObjectKey;
/// let key: ObjectKey = "shop/web-0".parse()?;
/// assert_eq!((key.namespace(), key.name()), (Some("shop"), "web-0"));
/// assert_eq!(&*key, "shop/web-0");
/// assert!("a/b/c".parse::<ObjectKey>().is_err());
/// # Ok::<(), klient_apimachinery::InvalidKey>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    text: Str,
    /// The offset of the name.
    name: u32,
}

impl ObjectKey {
    /// The key of a name in a namespace; `None` or an empty namespace for cluster-scoped objects.
    pub fn new(namespace: Option<&str>, name: &str) -> Self {
        match namespace.filter(|namespace| !namespace.is_empty()) {
            None => ObjectKey { text: name.into(), name: 0 },
            Some(namespace) => {
                let mut text = String::with_capacity(namespace.len() + 1 + name.len());
                text.push_str(namespace);
                text.push('/');
                text.push_str(name);
                let name = u32::try_from(namespace.len() + 1).expect("a namespace has fewer than 4 GiB");
                ObjectKey { text: text.into(), name }
            }
        }
    }

    /// The key of an object.
    pub fn of(object: &impl Object) -> Self {
        Self::new(object.namespace(), object.name())
    }

    /// The namespace, if there is one.
    pub fn namespace(&self) -> Option<&str> {
        self.name.checked_sub(1).map(|slash| &self.text[..slash as usize])
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.text[self.name as usize..]
    }

    /// `NAMESPACE/NAME`, or `NAME`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Deref for ObjectKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl FromStr for ObjectKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let (namespace, name) = text.split_once('/').unwrap_or(("", text));
        if name.contains('/') {
            return Err(InvalidKey(text.to_owned()));
        }
        Ok(ObjectKey::new(Some(namespace), name))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The error of parsing a string with more than one slash as an [`ObjectKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidKey(String);

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no key of an object: expected NAMESPACE/NAME or NAME", quoted(&self.0))
    }
}

impl std::error::Error for InvalidKey {}
