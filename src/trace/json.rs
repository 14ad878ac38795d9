//! Strings for JSON, also inside of a page's `<script>`.

use std::fmt::Write;

/// Writes `text` as a JSON string. What could end a `<script>`, or a line of one, is escaped too: a
/// task may be called `</script>`.
pub(super) fn string(out: &mut String, text: &str) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\u{0}'..='\u{1f}' | '\u{7f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", u32::from(char)).expect("a string takes all");
            }
            char => out.push(char),
        }
    }
    out.push('"');
}
