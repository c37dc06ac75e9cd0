//! [`Assets`], the page and its files, which are in the program.

use bytes::Bytes;

use crate::digest;
use crate::generated::page::FILES;

/// The name of the page among its files; the names of the others have hashes of their content.
const INDEX: &str = "index.html";

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

    /// The page.
    pub(crate) fn index(&self) -> &Asset {
        self.files.iter().find(|file| file.name == INDEX).expect("the build writes the page")
    }

    /// The file with a name that has the hash of its content.
    pub(crate) fn find(&self, name: &str) -> Option<&Asset> {
        self.files.iter().find(|file| file.name == name && name != INDEX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_files_that_are_there_and_has_no_inline_scripts() {
        let assets = Assets::embedded();
        let index = String::from_utf8(assets.index().bytes.to_vec()).unwrap();
        assert!(!index.contains("{{"), "{index}");
        let named: Vec<&str> = index.split('"').filter_map(|part| part.strip_prefix("/assets/")).collect();
        assert!(named.len() >= 3, "{index}");
        for name in named {
            assert!(assets.find(name).is_some(), "{name}");
        }
        for inline in ["<script>", "style=", "onclick=", "<style", "http://", "https://"] {
            assert!(!index.contains(inline), "{inline}");
        }
        assert!(assets.find(INDEX).is_none());
    }
}
