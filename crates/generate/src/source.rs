//! [`Source`], Rust source text with indentation.

/// The width of a line, as rustfmt has it by default.
const WIDTH: usize = 100;

/// The width of an attribute's arguments in one line; derives may fill it.
const ATTRIBUTE_WIDTH: usize = 70;

/// Rust source text that is written line by line.
pub(crate) struct Source {
    text: String,
    indent: usize,
}

impl Source {
    pub(crate) fn new() -> Self {
        Source { text: String::new(), indent: 0 }
    }

    /// Other text with this indentation, for [`append`](Self::append).
    pub(crate) fn beside(&self) -> Self {
        Source { text: String::new(), indent: self.indent }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Adds other text, which has its own indentation.
    pub(crate) fn append(&mut self, other: Source) {
        self.text.push_str(&other.text);
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.push_str(&"    ".repeat(self.indent));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// Writes a line, and what follows one level deeper until [`close`](Self::close).
    pub(crate) fn open(&mut self, line: &str) {
        self.line(line);
        self.indent += 1;
    }

    pub(crate) fn close(&mut self, line: &str) {
        self.indent -= 1;
        self.line(line);
    }

    /// Closes the arguments of a function and opens its block.
    pub(crate) fn close_block(&mut self, head: &str) {
        self.indent -= 1;
        // rustfmt counts the indentation twice.
        if self.fits(&format!("{}{head} {{", "    ".repeat(self.indent))) {
            self.open(&format!("{head} {{"));
        } else {
            self.line(head);
            self.open("{");
        }
    }

    /// Writes a text of several lines.
    pub(crate) fn lines(&mut self, lines: &str) {
        lines.lines().for_each(|line| self.line(line));
    }

    /// Writes documentation.
    pub(crate) fn comment(&mut self, lines: &[String]) {
        for line in lines {
            self.line(format!("/// {line}").trim_end());
        }
    }

    /// Writes an attribute, in several lines if it is too long, and with a line for each argument if they are too long
    /// together.
    pub(crate) fn attribute(&mut self, name: &str, arguments: &[String]) {
        let joined = arguments.join(", ");
        let line = format!("#[{name}({joined})]");
        let are_short = name == "derive" || joined.chars().count() <= ATTRIBUTE_WIDTH;
        if self.fits(&line) && are_short {
            self.line(&line);
            return;
        }
        self.open(&format!("#[{name}("));
        if are_short {
            self.line(&joined);
        } else {
            arguments.join(",\n").lines().for_each(|line| self.line(line));
        }
        self.close(")]");
    }

    /// Returns true if a line is not too long.
    pub(crate) fn fits(&self, line: &str) -> bool {
        4 * self.indent + line.chars().count() <= WIDTH
    }

    /// Writes the head of a struct, and what follows one level deeper. The brace is in a line of its own if the line is too
    /// long, for which rustfmt does not count the indentation.
    pub(crate) fn block(&mut self, head: &str) {
        let line = format!("{head} {{");
        if line.chars().count() <= WIDTH {
            self.open(&line);
        } else {
            self.line(head);
            self.open("{");
        }
    }

    /// Writes a field of a struct. A type that is too long is in the next line, or else in several; one whose names are too
    /// long for any line stays.
    pub(crate) fn field(&mut self, name: &str, ty: &str) {
        let line = format!("pub {name}: {ty},");
        let next_line = format!("    {ty},");
        if self.fits(&line) {
            self.line(&line);
        } else if self.fits(&next_line) {
            self.line(&format!("pub {name}:"));
            self.line(&next_line);
        } else {
            let lines = self.broken(&format!("pub {name}: "), ty, 0).unwrap_or_else(|| vec![line]);
            lines.iter().for_each(|line| self.line(line));
        }
    }

    /// Writes another name of a type.
    pub(crate) fn alias(&mut self, name: &str, of: &str) {
        let line = format!("pub type {name} = {of};");
        if self.fits(&line) {
            return self.line(&line);
        }
        self.line(&format!("pub type {name} ="));
        self.line(&format!("    {of};"));
    }

    /// A type with its argument in a line of its own, if the name of that fits.
    fn broken(&self, prefix: &str, ty: &str, level: usize) -> Option<Vec<String>> {
        let (outer, argument) = ty.strip_suffix('>')?.split_once('<')?;
        let indent = "    ".repeat(level);
        let deeper = "    ".repeat(level + 1);
        let line = format!("{deeper}{argument},");
        let inner = match self.fits(&line) {
            true => vec![line],
            false => self.broken("", argument, level + 1)?,
        };
        let begin = format!("{indent}{prefix}{outer}<");
        Some([begin].into_iter().chain(inner).chain([format!("{indent}>,")]).collect())
    }
}

/// A string literal.
pub(crate) fn literal(text: &str) -> String {
    let escaped: String = text.chars().flat_map(char::escape_debug).collect();
    // Debug escapes quotes of both kinds.
    format!("\"{}\"", escaped.replace("\\'", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_broken_as_rustfmt_breaks_them() {
        let list_type = || "list_type = \"map\"".to_owned();
        for (keys, expected) in [
            ("\"name\"", "#[apply(list_type = \"map\", list_map_keys(\"name\"))]\n"),
            (
                "\"group\", \"resource\", \"name\", \"namespace\"",
                "#[apply(\n    list_type = \"map\",\n    list_map_keys(\"group\", \"resource\", \"name\", \"namespace\")\n)]\n",
            ),
        ] {
            let mut source = Source::new();
            source.attribute("apply", &[list_type(), format!("list_map_keys({keys})")]);
            assert_eq!(source.text, expected);
        }
    }
}
