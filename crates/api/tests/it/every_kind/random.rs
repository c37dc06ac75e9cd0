//! [`Random`], which makes up objects as Go would write them.

use klient_apimachinery::schema::{Field, Schema, Type};
use serde_json::{Map, Value, json};

/// Recursive types end at this depth.
const DEPTH: usize = 5;

/// A source of objects.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// A struct with all that Go always writes, and some of the rest.
    pub(crate) fn message(&mut self, schema: &Schema, depth: usize) -> Value {
        let mut out = Map::new();
        // Of a union one member is set.
        let is_union = matches!(schema.name, "Volume" | "PersistentVolumeSpec");
        let members: Vec<&Field> = schema.fields.iter().filter(|field| !field.within.is_empty()).collect();
        let member = is_union.then(|| self.pick(&members).json);
        for field in schema.fields {
            let is_other_member = is_union && !field.within.is_empty() && member != Some(field.json);
            if !is_other_member && self.is_there(field, depth) {
                let zero = field.pointer || !field.omit_empty;
                out.insert(field.json.to_owned(), self.value(&field.ty, zero, depth + 1));
            }
        }
        Value::Object(out)
    }

    fn is_there(&mut self, field: &Field, depth: usize) -> bool {
        let always = match field.ty {
            Type::Message(_) | Type::Quantity | Type::Duration | Type::IntOrString => !field.pointer,
            _ => !field.pointer && !field.omit_empty,
        };
        // What is required has its place whether or not Go has a pointer to it, and JSON writes it even if empty.
        always || field.required || (depth < DEPTH && self.chance(3))
    }

    fn value(&mut self, ty: &Type, zero: bool, depth: usize) -> Value {
        match ty {
            Type::String => self.text(zero).into(),
            Type::Bool => (!zero || self.chance(2)).into(),
            Type::Int32 => self.number(zero, i64::from(i32::MIN), i64::from(i32::MAX)).into(),
            Type::Int64 => self.number(zero, i64::MIN, i64::MAX).into(),
            Type::Double => self.pick(&[0.5, 1.25, -3.75, 1e100]).into(),
            Type::Bytes => self.pick(&["AA==", "a2xpZW50", "////"]).into(),
            Type::Time => self.pick(&["2026-11-21T09:04:03Z", "1969-12-31T23:59:59Z"]).into(),
            Type::MicroTime => {
                self.pick(&["2026-11-21T09:04:03.000001Z", "1969-12-31T23:59:59.999999Z"]).into()
            }
            Type::Duration => self.pick(&["1s", "1h30m0.5s", "-3ms"]).into(),
            Type::Quantity => self.pick(&["0", "500m", "2Gi", "1e30", "-7", "3k"]).into(),
            Type::IntOrString => self.pick(&[json!(0), json!(-1), json!(8080), json!("50%"), json!("http")]),
            Type::Json | Type::RawExtension | Type::FieldsV1 => {
                self.pick(&[json!({"a": [1, null, "x"]}), json!({"f:metadata": {}}), json!({"kind": "X"})])
            }
            Type::StringList => (0..=self.below(3)).map(|_| Value::from(self.text(true))).collect(),
            Type::SchemaOrArray(schema) => match self.chance(2) {
                true => self.message(schema, depth),
                false => (0..=self.below(2)).map(|_| self.message(schema, depth)).collect(),
            },
            Type::SchemaOrBool(schema) => match self.chance(2) {
                true => self.message(schema, depth),
                false => self.chance(2).into(),
            },
            Type::SchemaOrStringArray(schema) => match self.chance(2) {
                true => self.message(schema, depth),
                false => (0..=self.below(2)).map(|_| Value::from(self.text(true))).collect(),
            },
            Type::Message(schema) => self.message(schema, depth),
            Type::List(item) => (0..=self.below(3)).map(|_| self.value(item, true, depth)).collect(),
            Type::Map(value) => {
                let entries = (0..=self.below(3)).map(|_| (self.text(true), self.value(value, true, depth)));
                Value::Object(entries.collect())
            }
        }
    }

    fn text(&mut self, zero: bool) -> String {
        let texts = [
            "",
            "a",
            "shop.example/name",
            "twenty-four bytes of text",
            "a \"quoted\" text, longer than what fits in place",
            "über 漢字 \u{1f600}\n",
        ];
        self.pick(if zero { &texts } else { &texts[1..] }).to_owned()
    }

    fn number(&mut self, zero: bool, least: i64, most: i64) -> i64 {
        let other = if zero { 0 } else { 300 };
        self.pick(&[other, 1, -1, least, most])
    }
}
