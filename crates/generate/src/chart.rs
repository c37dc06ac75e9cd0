//! The folders of a Helm chart that have definitions. The rest of a chart are templates, which are not YAML.

use std::path::{Path, PathBuf};

use crate::input::entries;

/// Returns true if a folder is a Helm chart.
pub(crate) fn is_chart(folder: &Path) -> bool {
    folder.join("Chart.yaml").is_file()
}

/// The folder with the definitions of a chart, and the charts that it depends on.
pub(crate) fn folders(chart: &Path) -> Vec<PathBuf> {
    let mut folders = vec![chart.join("crds")];
    // A chart without dependencies has no such folder.
    folders.extend(entries(&chart.join("charts")).unwrap_or_default());
    folders.retain(|folder| folder.is_dir());
    folders
}
