use super::{Node, scalar};

/// The text that Java gives for a value inside a list or map: scalars bare, collections in flow form.
pub(crate) fn flow_text(node: &Node) -> String {
    match node {
        Node::Scalar(value) => value.to_java_text(),
        collection => render_flow(collection),
    }
}

/// A value in YAML's flow form, `[a, {k: v}]`, on one line.
pub(crate) fn render_flow(node: &Node) -> String {
    let mut text = String::new();
    write(&mut text, node);
    text
}

fn write(out: &mut String, node: &Node) {
    match node {
        Node::Scalar(value) => out.push_str(&scalar::render_in_flow(value)),
        Node::Sequence(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write(out, item);
            }
            out.push(']');
        }
        Node::Mapping(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write(out, key);
                out.push_str(": ");
                write(out, value);
            }
            out.push('}');
        }
    }
}
