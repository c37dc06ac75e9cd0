//! [`Assets`], the page and its files, which are in the program.

use bytes::Bytes;

use crate::digest;

/// The files of the page. `index.html` names each by `{{name}}`, in whose place comes its address.
const FILES: &[(&str, &str, &str)] = &[
    ("app.js", "text/javascript; charset=utf-8", include_str!("../assets/app.js")),
    ("app.css", "text/css; charset=utf-8", include_str!("../assets/app.css")),
    ("icon.svg", "image/svg+xml", include_str!("../assets/icon.svg")),
];

const INDEX: &str = include_str!("../assets/index.html");

/// A file of the page.
#[derive(Debug)]
pub(crate) struct Asset {
    /// The name with the hash, such as `app.0123456789abcdef.js`.
    name: String,
    pub(crate) content_type: &'static str,
    pub(crate) hash: String,
    pub(crate) bytes: Bytes,
}

/// The page and its files.
#[derive(Debug)]
pub(crate) struct Assets {
    pub(crate) index: Asset,
    files: Vec<Asset>,
}

impl Asset {
    fn new(name: &str, content_type: &'static str, bytes: Bytes) -> Self {
        let hash = digest::short(&bytes);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        Asset { name: format!("{stem}.{hash}.{extension}"), content_type, bytes, hash }
    }
}

impl Assets {
    pub(crate) fn embedded() -> Self {
        let mut index = INDEX.to_owned();
        let file = |(name, content_type, text): &(&str, &'static str, &'static str)| {
            let asset = Asset::new(name, content_type, Bytes::from_static(text.as_bytes()));
            index = index.replace(&format!("{{{{{name}}}}}"), &format!("/assets/{}", asset.name));
            asset
        };
        let files = FILES.iter().map(file).collect();
        Assets { index: Asset::new("index.html", "text/html; charset=utf-8", index.into()), files }
    }

    /// The file with a name that has the hash of its content.
    pub(crate) fn find(&self, name: &str) -> Option<&Asset> {
        self.files.iter().find(|file| file.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_files_by_their_hashes_and_has_no_inline_scripts() {
        let assets = Assets::embedded();
        let index = String::from_utf8(assets.index.bytes.to_vec()).unwrap();
        assert!(!index.contains("{{"), "{index}");
        for file in &assets.files {
            assert!(index.contains(&format!("\"/assets/{}\"", file.name)), "{}", file.name);
            assert!(assets.find(&file.name).is_some());
        }
        for inline in ["<script>", "style=", "onclick=", "<style", "http://", "https://"] {
            assert!(!index.contains(inline), "{inline}");
        }
        assert!(assets.find("app.js").is_none());
    }
}
