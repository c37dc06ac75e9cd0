//! CSV (RFC 4180) with the errors of Go's `encoding/csv`.

/// Reads all records; empty lines are skipped.
///
/// # Errors
///
/// If a quote is misplaced, with the line and the column in bytes.
pub(super) fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let text = text.replace("\r\n", "\n");
    let mut reader = Reader { rest: &text, line: 1, column: 1, previous_column: 1 };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        if reader.take("\n") {
            continue;
        }
        records.push(reader.record()?);
    }
    Ok(records)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    /// In bytes, from 1.
    column: usize,
    /// The column after the line break of the previous line.
    previous_column: usize,
}

impl<'a> Reader<'a> {
    fn record(&mut self) -> Result<Vec<String>, String> {
        let start = self.line;
        let mut fields = Vec::new();
        loop {
            let field = if self.take("\"") { self.quoted(start)? } else { self.plain(start)?.to_owned() };
            fields.push(field);
            if !self.take(",") {
                self.take("\n");
                return Ok(fields);
            }
        }
    }

    fn plain(&mut self, start: usize) -> Result<&'a str, String> {
        let field = self.take_until(&[',', '\n']);
        match field.find('"') {
            Some(at) => {
                self.column = self.column - field.len() + at;
                Err(self.error(start, "bare \" in non-quoted-field"))
            }
            None => Ok(field),
        }
    }

    /// The rest of a field after its opening quote.
    fn quoted(&mut self, start: usize) -> Result<String, String> {
        const PROBLEM: &str = "extraneous or missing \" in quoted-field";
        let mut field = String::new();
        loop {
            field.push_str(self.take_until(&['"', '\n']));
            if self.take("\n") {
                field.push('\n');
            } else if self.take("\"\"") {
                field.push('"');
            } else if self.take("\"") {
                if self.rest.is_empty() || self.rest.starts_with([',', '\n']) {
                    return Ok(field);
                }
                self.column -= 1;
                return Err(self.error(start, PROBLEM));
            } else {
                if field.ends_with('\n') {
                    // Go reports a position after the last line break, not on a line that does not exist.
                    (self.line, self.column) = (self.line - 1, self.previous_column);
                }
                return Err(self.error(start, PROBLEM));
            }
        }
    }

    fn take_until(&mut self, ends: &[char]) -> &'a str {
        let (taken, rest) = self.rest.split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        self.column += taken.len();
        taken
    }

    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        match token {
            "\n" => {
                self.previous_column = self.column + 1;
                (self.line, self.column) = (self.line + 1, 1);
            }
            _ => self.column += token.len(),
        }
        true
    }

    fn error(&self, start: usize, problem: &str) -> String {
        let Reader { line, column, .. } = self;
        let record = if start == *line { String::new() } else { format!("record on line {start}; ") };
        format!("{record}parse error on line {line}, column {column}: {problem}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected results are those of Go 1.26.
    #[test]
    fn records_are_read_as_go_reads_them() {
        for (text, read) in [
            ("", &[][..]),
            ("a,b,c\n\nd,e,f\n", &[&["a", "b", "c"][..], &["d", "e", "f"]][..]),
            ("a,b,c\r\nd,\"e\"\"x\",f", &[&["a", "b", "c"], &["d", "e\"x", "f"]]),
            ("\"a\nb\",c,\n", &[&["a\nb", "c", ""]]),
            ("a,b,c\n  \n", &[&["a", "b", "c"], &["  "]]),
        ] {
            assert_eq!(records(text).unwrap(), read, "{text:?}");
        }
        let quoted = "extraneous or missing \" in quoted-field";
        for (text, error) in [
            (
                "t1,ann,u1,de\"vs\n",
                "parse error on line 1, column 13: bare \" in non-quoted-field".to_owned(),
            ),
            ("a,b\"", "parse error on line 1, column 4: bare \" in non-quoted-field".to_owned()),
            ("t1,ann,u1,\"devs\"x,y\n", format!("parse error on line 1, column 16: {quoted}")),
            ("é,\"x\"y\n", format!("parse error on line 1, column 6: {quoted}")),
            ("\"", format!("parse error on line 1, column 2: {quoted}")),
            (
                "t1,ann,u1,\"devs\nt2,bob,u2\n",
                format!("record on line 1; parse error on line 2, column 11: {quoted}"),
            ),
            ("a,b\n\nt1,\"b\n\nc", format!("record on line 3; parse error on line 5, column 2: {quoted}")),
        ] {
            assert_eq!(records(text).unwrap_err(), error, "{text:?}");
        }
    }
}
