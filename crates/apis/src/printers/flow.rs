//! Rows of API priority and fairness.

use serde_json::Value;

use super::row::Row;
use super::text::{NONE, text};

pub(super) fn flow_schema(row: &Row<'_>) -> Vec<Value> {
    let dangling = row.condition("Dangling").map_or("?", |condition| text(condition, "status"));
    vec![
        row.name(),
        row.text(&["spec", "priorityLevelConfiguration", "name"]).into(),
        row.number(&["spec", "matchingPrecedence"]).into(),
        row.text_or(&["spec", "distinguisherMethod", "type"], NONE).into(),
        row.age(),
        dangling.into(),
    ]
}

pub(super) fn priority_level(row: &Row<'_>) -> Vec<Value> {
    let limited = row.at(&["spec", "limited"]);
    let queuing = &limited["limitResponse"]["queuing"];
    vec![
        row.name(),
        row.text(&["spec", "type"]).into(),
        number_of(limited, "nominalConcurrencyShares"),
        number_of(queuing, "queues"),
        number_of(queuing, "handSize"),
        number_of(queuing, "queueLengthLimit"),
        row.age(),
    ]
}

/// An integer of an optional struct.
fn number_of(owner: &Value, field: &str) -> Value {
    if owner.is_null() { NONE.into() } else { owner[field].as_i64().unwrap_or_default().into() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::printers::tests::check;

    #[test]
    fn flow_schemas_say_whether_their_level_is_missing() {
        check(
            "flowcontrol.apiserver.k8s.io/v1/flowschemas",
            json!({
                "spec": {
                    "priorityLevelConfiguration": {"name": "low"}, "matchingPrecedence": 800,
                    "distinguisherMethod": {"type": "ByUser"},
                },
                "status": {"conditions": [{"type": "Dangling", "status": "False"}]},
            }),
            json!(["a", "low", 800, "ByUser", "22s", "False"]),
        );
        check(
            "flowcontrol.apiserver.k8s.io/v1/flowschemas",
            json!({}),
            json!(["a", "", 0, "<none>", "22s", "?"]),
        );
    }

    #[test]
    fn levels_show_numbers_where_there_are_limits() {
        let limited = |shares: Value, queuing: Value| {
            let response = json!({"type": "", "queuing": queuing});
            let limited = json!({"nominalConcurrencyShares": shares, "limitResponse": response});
            json!({"type": "Limited", "limited": limited})
        };
        let queuing = json!({"queues": 64, "handSize": 6, "queueLengthLimit": 50});
        for (spec, cells) in [
            (json!({"type": "Exempt"}), json!(["<none>", "<none>", "<none>", "<none>"])),
            (limited(json!(30), json!(null)), json!([30, "<none>", "<none>", "<none>"])),
            (limited(json!(null), queuing), json!([0, 64, 6, 50])),
        ] {
            check(
                "flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
                json!({"spec": spec}),
                json!(["a", spec["type"], cells[0], cells[1], cells[2], cells[3], "22s"]),
            );
        }
    }
}
