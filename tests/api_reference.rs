//! docs/api-reference.md is what the CRDs say: each field with its type, bounds and meaning, and what is refused. Part of `shape`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::{env, fs};

use serde_json::Value;

use super::{pages::anchor, root};

const HEAD: &str = "# API reference

Every field of the two resources, as `kubectl explain --recursive` knows them. This page is made from the CRDs in
[`crds/`](../crds). [README.md](../README.md) says which fields one starts with. `make generate` refreshes it.
";

/// The objects of a resource that have a section, by what they are but for their meaning.
struct Sections {
    kind: String,
    /// Where an equal object was described before.
    known: BTreeMap<String, String>,
    text: String,
}

/// Text of a description as one cell.
fn cell(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("<br>").replace('|', "\\|")
}

/// The objects that a field holds: itself, or the items of a list.
fn held(field: &Value) -> Option<(&Value, &'static str)> {
    let (object, brackets) = match field.get("items") {
        Some(items) => (items, "[]"),
        None => (field, ""),
    };
    object.get("properties").is_some().then_some((object, brackets))
}

/// Two bounds of the same thing in words. Those of the type itself say nothing.
fn range(least: &Value, most: &Value, unit: &str) -> Option<String> {
    let bound = |number: &Value| {
        let number = number.as_f64()?;
        (number.abs() < f64::from(i32::MAX)).then(|| number.to_string())
    };
    let bounds = match (bound(least), bound(most)) {
        (Some(least), Some(most)) if least == most => least,
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => return None,
    };
    Some(format!("{bounds}{unit}"))
}

/// The type of a field with its bounds, such as `integer, 0 to 32767`.
fn type_of(field: &Value) -> String {
    if let Some(items) = field.get("items") {
        let count = range(&field["minItems"], &field["maxItems"], " items")
            .map_or_else(String::new, |range| format!(", {range}"));
        return format!("list{count}, of: {}", type_of(items));
    }
    let mut parts = Vec::new();
    match field["enum"].as_array() {
        Some(values) => {
            let values: Vec<_> = values.iter().filter_map(Value::as_str).map(|value| format!("`{value}`")).collect();
            parts.push(format!("one of {}", values.join(", ")));
        }
        None => parts.push(match field["format"].as_str() {
            Some("date-time") => "time".to_owned(),
            _ => field["type"].as_str().unwrap_or("any").to_owned(),
        }),
    }
    parts.extend(range(&field["minimum"], &field["maximum"], ""));
    parts.extend(range(&field["minLength"], &field["maxLength"], " characters"));
    if let Some(default) = field.get("default") {
        parts.push(format!("when absent `{default}`"));
    }
    parts.join(", ")
}

/// What the apiserver says of a value that breaks a rule of an object, or of a field in it that has no section of its own.
fn refusals(object: &Value) -> Vec<&str> {
    let fields = object["properties"].as_object().into_iter().flat_map(|fields| fields.values());
    let lists = fields.clone().filter(|field| held(field).is_some_and(|(_, brackets)| !brackets.is_empty()));
    let plain = fields.filter(|field| held(field).is_none());
    let items = plain.clone().filter_map(|field| field.get("items"));
    let places = std::iter::once(object).chain(plain).chain(items).chain(lists);
    let rules = places.filter_map(|place| place["x-kubernetes-validations"].as_array()).flatten();
    rules.map(|rule| rule["message"].as_str().expect("a rule without a message")).collect()
}

impl Sections {
    /// The section of one object, then those of the objects in it.
    fn write(&mut self, path: &str, object: &Value) {
        let heading = format!("{} {path}", self.kind);
        writeln!(self.text, "\n### {heading}\n").unwrap();
        if let Some(description) = object["description"].as_str() {
            writeln!(self.text, "{}\n", cell(description).replace("<br>", "\n\n")).unwrap();
        }
        self.text += "| Field | Type | Meaning |\n|---|---|---|\n";
        let required: Vec<_> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut inner = Vec::new();
        for (name, field) in object["properties"].as_object().expect("properties") {
            let needed = if required.contains(&name.as_str()) { ", **required**" } else { "" };
            let meaning = cell(field["description"].as_str().unwrap_or_default());
            let mut kind = type_of(field);
            if let Some((object, brackets)) = held(field) {
                let path = format!("{path}.{name}{brackets}");
                let same = without_meaning(object).to_string();
                let at = self.known.entry(same).or_insert_with(|| {
                    inner.push((path.clone(), object));
                    path.clone()
                });
                let link = format!("[{at}](#{})", anchor(&format!("{} {at}", self.kind)));
                kind = if brackets.is_empty() { link } else { kind.replacen("object", &link, 1) };
            }
            writeln!(self.text, "| `{name}` | {kind}{needed} | {meaning} |").unwrap();
        }
        let rules = refusals(object);
        if !rules.is_empty() {
            self.text += "\nThe apiserver refuses what breaks one of these rules:\n\n";
            rules.iter().for_each(|message| writeln!(self.text, "* {}", message.replace('<', "\\<")).unwrap());
        }
        for (path, object) in inner {
            self.write(&path, object);
        }
    }
}

/// An object without the sentence that says what it is for where it stands.
fn without_meaning(object: &Value) -> Value {
    let mut object = object.clone();
    object.as_object_mut().expect("an object").remove("description");
    object
}

fn reference() -> String {
    let mut page = HEAD.to_owned();
    for crd in seatkeeper::api::crds() {
        let crd = serde_json::to_value(crd).expect("JSON");
        let (names, version) = (&crd["spec"]["names"], &crd["spec"]["versions"][0]);
        let schema = &version["schema"]["openAPIV3Schema"];
        let kind = names["kind"].as_str().expect("a kind").to_owned();
        let short = names["shortNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let names: Vec<_> =
            names["plural"].as_str().into_iter().chain(short).map(|name| format!("`kubectl get {name}`")).collect();
        let group = crd["spec"]["group"].as_str().expect("a group");
        let version = version["name"].as_str().expect("a version");
        let about = cell(schema["description"].as_str().expect("a description"));
        writeln!(
            page,
            "\n## {kind}\n\n{about}\n\n`apiVersion: {group}/{version}`, `kind: {kind}`; {}.",
            names.join(" or ")
        )
        .unwrap();
        let mut sections = Sections { kind, known: BTreeMap::new(), text: String::new() };
        for part in ["spec", "status"] {
            let object = &schema["properties"][part];
            if object.get("properties").is_some() {
                sections.write(part, object);
            }
        }
        page += &sections.text;
    }
    page
}

#[test]
fn api_reference_matches_crds() {
    let file = root().join("docs/api-reference.md");
    let made = reference();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &made).expect("a file");
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == made, "docs/api-reference.md is not what the CRDs say; refresh it with: make generate");
}

#[test]
fn api_reference_names_type_bounds_and_rule_of_a_field() {
    let page = reference();
    for said in [
        "| `seats` | integer, at least 1 | How many seats",
        "* spec.sizing.decreaseAfter must be a duration between 1h and 2160h",
        "| `mode` | one of `Immediate`, `InWindow`, `Never`, **required** |",
        "[spec.adjustment.windows[]](#licenseseats-specadjustmentwindows)",
        "spec.adjustment.decrease.windows goes with mode InWindow alone",
    ] {
        assert!(page.contains(said), "{said}");
    }
}
