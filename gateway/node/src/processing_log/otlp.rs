//! Records as OTLP/HTTP in JSON (opentelemetry-proto, `ExportTraceServiceRequest`).

use serde_json::{Value, json};

use super::Record;

/// What a record is in OTLP: `operation_id` is the span, and the times, in nanoseconds, are texts.
fn span(record: &Record) -> Value {
    let time = record.operation.time.as_nanosecond().to_string();
    let mut attributes = vec![
        text("dpl.core.processing_activity_id", &record.activity),
        text("schakel.logregel", &record.operation.entry.to_string()),
    ];
    if let Some(subject) = &record.subject {
        attributes.push(text("dpl.core.data_subject_id", &subject.id));
        attributes.push(text("dpl.core.data_subject_id_type", subject.kind.as_str()));
    }
    if let Some(id) = record.message {
        attributes.push(text("schakel.bericht", &id.to_string()));
    }
    if let Some(message_type) = &record.message_type {
        attributes.push(text("schakel.berichttype", message_type));
    }
    let mut links = Vec::new();
    if let Some((foreign, entity)) = record.foreign {
        let entity = format!("urn:nld:oin:{entity}");
        attributes.push(text("dpl.core.foreign_operation.trace_id", &foreign.trace.to_string()));
        attributes.push(text("dpl.core.foreign_operation.operation_id", &foreign.operation.to_string()));
        attributes.push(text("dpl.core.foreign_operation.entity", &entity));
        links.push(json!({
            "traceId": foreign.trace.to_string(), "spanId": foreign.operation.to_string(),
            "attributes": [text("dpl.core.foreign_operation.entity", &entity)],
        }));
    }
    json!({
        "traceId": record.context.trace.to_string(),
        "spanId": record.context.operation.to_string(),
        "name": record.operation.name,
        "kind": 1,
        "startTimeUnixNano": time,
        "endTimeUnixNano": time,
        "attributes": attributes,
        "links": links,
        "status": { "code": record.operation.status.code() },
    })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// The request that carries these records, of the organisation with this OIN.
pub(super) fn request(organisation: exchange::oin::Oin, records: &[Record]) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let spans: Vec<Value> = records.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text("service.name", "schakel"),
            text("service.version", version),
            text("service.namespace", &format!("urn:nld:oin:{organisation}")),
        ] },
        "scopeSpans": [{ "scope": { "name": "schakel", "version": version }, "spans": spans }],
    }] })
    .to_string()
}

/// How many records the collector says it did not take (`partialSuccess`).
pub(super) fn rejected(answer: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let rejected = &answer["partialSuccess"]["rejectedSpans"];
    rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok()).unwrap_or_default()
}
