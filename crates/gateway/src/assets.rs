//! [`Assets`], the page and its files, which are in the program.

use bytes::Bytes;

use crate::digest;
use crate::generated::page::FILES;

/// The names of the pages; the names of their files have hashes of their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Index,
    /// The form for the token.
    SignIn,
    /// The same after a token that was not the gateway's.
    WrongToken,
    /// Says that a proxy in front signs users in.
    NoUser,
}

impl Page {
    fn name(self) -> &'static str {
        match self {
            Page::Index => "index.html",
            Page::SignIn => "sign-in.html",
            Page::WrongToken => "wrong-token.html",
            Page::NoUser => "no-user.html",
        }
    }
}

/// The beginnings of the names of the files that the pages without a user have.
const OPEN: [&str; 2] = ["icon-", "sign-in-"];

/// A file of the page.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) hash: String,
    pub(crate) bytes: Bytes,
}

/// The page and its files.
#[derive(Debug)]
pub(crate) struct Assets {
    files: Vec<Asset>,
}

impl Asset {
    fn new(name: &'static str, content: &'static [u8]) -> Self {
        let content_type = match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "text/plain; charset=utf-8",
        };
        let bytes = Bytes::from_static(content);
        Asset { name, content_type, hash: digest::short(&bytes), bytes }
    }
}

impl Assets {
    pub(crate) fn embedded() -> Self {
        Assets { files: FILES.iter().map(|(name, content)| Asset::new(name, content)).collect() }
    }

    pub(crate) fn page(&self, page: Page) -> &Asset {
        self.files.iter().find(|file| file.name == page.name()).expect("the build writes the pages")
    }

    /// The file of a page, with a name that has the hash of its content.
    pub(crate) fn find(&self, name: &str) -> Option<&Asset> {
        self.files.iter().find(|file| file.name == name && !name.ends_with(".html"))
    }

    /// Returns true for the paths of files that a page without a user has.
    pub(crate) fn is_open(&self, path: &[&str]) -> bool {
        matches!(path, ["assets", name] if OPEN.iter().any(|open| name.starts_with(open)) && self.find(name).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_name_files_that_are_there_and_have_no_inline_scripts() {
        let assets = Assets::embedded();
        for page in [Page::Index, Page::SignIn, Page::WrongToken, Page::NoUser] {
            let text = String::from_utf8(assets.page(page).bytes.to_vec()).unwrap();
            assert!(!text.contains("{{"), "{text}");
            let named: Vec<&str> = text.split('"').filter_map(|part| part.strip_prefix("/assets/")).collect();
            assert!(named.len() >= 2, "{text}");
            for name in named {
                assert!(assets.find(name).is_some(), "{name}");
                assert_eq!(
                    assets.is_open(&["assets", name]),
                    page != Page::Index || name.starts_with("icon-")
                );
            }
            for inline in ["<script>", "style=", "onclick=", "<style", "src=\"http", "href=\"http"] {
                assert!(!text.contains(inline), "{inline}");
            }
            assert!(assets.find(page.name()).is_none());
        }
    }
}
