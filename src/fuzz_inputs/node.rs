//! JSON that can be edited into what no JSON library would write.

use serde_json::Value;

/// JSON as it is written: a field may be there twice, and a number be too large for any type.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    List(Vec<Node>),
    Fields(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(fields) => {
                Self::Fields(fields.iter().map(|(key, value)| (key.clone(), Self::of(value))).collect())
            }
            leaf => Self::Text(leaf.to_string()),
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        let separate = |out: &mut String, i| out.push_str(if i > 0 { "," } else { "" });
        match self {
            Self::Text(text) => out.push_str(text),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    separate(out, i);
                    item.write(out);
                }
                out.push(']');
            }
            Self::Fields(fields) => {
                out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    separate(out, i);
                    out.push_str(&Value::from(key.as_str()).to_string());
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// How many items and fields there are, at any depth.
    pub(super) fn places(&self) -> usize {
        match self {
            Self::Text(_) => 0,
            Self::List(items) => items.iter().map(|item| 1 + item.places()).sum(),
            Self::Fields(fields) => fields.iter().map(|(_, value)| 1 + value.places()).sum(),
        }
    }

    /// Edits the place of this number; returns how many places came before it, if it is not here.
    pub(super) fn edit(&mut self, place: usize, edit: &Edit) {
        let mut before = 0;
        let found = |before: &mut usize, node: &Self| {
            let here = place >= *before && place <= *before + node.places();
            if !here {
                *before += 1 + node.places();
            }
            here
        };
        match self {
            Self::Text(_) => {}
            Self::List(items) => {
                let Some(i) = items.iter().position(|item| found(&mut before, item)) else { return };
                if place > before {
                    return items[i].edit(place - before - 1, edit);
                }
                match edit {
                    Edit::Drop => drop(items.remove(i)),
                    Edit::Rename(_) => items.swap(0, i),
                    Edit::Double(None) => items.push(items[i].clone()),
                    Edit::Double(Some(text)) => items.push(Self::Text(text.clone())),
                    edit => edit.instead(&mut items[i]),
                }
            }
            Self::Fields(fields) => {
                let Some(i) = fields.iter().position(|(_, value)| found(&mut before, value)) else { return };
                if place > before {
                    return fields[i].1.edit(place - before - 1, edit);
                }
                match edit {
                    Edit::Drop => drop(fields.remove(i)),
                    Edit::Rename(name) => fields[i].0.clone_from(name),
                    Edit::Double(None) => fields.push(fields[i].clone()),
                    Edit::Double(Some(text)) => fields.push((fields[i].0.clone(), Self::Text(text.clone()))),
                    edit => edit.instead(&mut fields[i].1),
                }
            }
        }
    }
}

/// What is done to one item or field.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Drop,
    Rename(String),
    /// There twice, the second time as it is or as this JSON.
    Double(Option<String>),
    /// This JSON in its place.
    Instead(String),
    /// A list with this many copies of it.
    Many(usize),
    /// Within this many lists.
    Deep(usize),
}

impl Edit {
    fn instead(&self, node: &mut Node) {
        let mut text = String::new();
        node.write(&mut text);
        *node = match self {
            Self::Instead(text) => Node::Text(text.clone()),
            // So that lists of lists stay small.
            Self::Many(count) => Node::List(vec![Node::Text(text.clone()); (*count).min(20_000 / (1 + text.len()))]),
            Self::Deep(depth) => Node::Text(format!("{}{text}{}", "[".repeat(*depth), "]".repeat(*depth))),
            Self::Drop | Self::Rename(_) | Self::Double(_) => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_of_a_document_can_be_edited() {
        let document = Node::of(&json!([{ "a": 1, "b": [2, { "c": 3 }] }, 4]));
        let edited = (0..document.places()).map(|place| {
            let mut edited = document.clone();
            edited.edit(place, &Edit::Instead("0".into()));
            let mut text = String::new();
            edited.write(&mut text);
            text
        });
        let edited: std::collections::BTreeSet<String> = edited.collect();
        assert_eq!(edited.len(), 7, "{edited:?}");
    }
}
