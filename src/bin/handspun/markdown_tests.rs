//! Made-up Markdown, and how it is printed. That real pages are printed whole is a test of the
//! program, in `tests/companion.rs`.

use crate::markdown::{Setting, question, render};

#[test]
fn paragraphs_are_filled_up_to_the_width() {
    check("one two\nthree four five six seven eight", "one two three four five six\nseven eight\n");
}

#[test]
fn headings_are_underlined_or_keep_their_marks() {
    check("# One\n## `Two`\ntext\n### Three", "One\n===\n\n`Two`\n-----\n\ntext\n\n### Three\n");
}

#[test]
fn code_is_indented_and_else_kept_as_it_is() {
    let long = "let x = a_call(of, so, many, arguments); // *no* `marks` [here](x)";
    check(&format!("```rust\n{long}\n\n  {{\n```"), &format!("    {long}\n\n      {{\n"));
    check("````text\n```\n````\nafter", "    ```\n\nafter\n");
}

#[test]
fn items_of_lists_hang_behind_their_marks() {
    let text = "Text:\n- one two three four five\n  six seven\n- b\n  1. c\n  2. d\n\nEnd";
    let printed = "\
Text:

- one two three four five six
  seven
- b
  1. c
  2. d

End
";
    check(text, printed);
    check("9. nine\n10. ten\n\n11. eleven\nlazy", "9.  nine\n\n10. ten\n\n11. eleven lazy\n");
    check("1. a\n\n   ```sh\n   ls\n   ```\n\n2. b", "1. a\n\n       ls\n\n2. b\n");
    check("It was in\n1990. A year.", "It was in 1990. A year.\n");
}

#[test]
fn quotations_keep_their_mark() {
    check(
        "> one two three four five six seven\n> eight",
        "> one two three four five six\n> seven eight\n",
    );
}

#[test]
fn columns_are_as_wide_as_their_widest_cells() {
    let text = "| name | `n` |\n|---|--:|\n| a \\| b | 1 |\n| `x|y`";
    check(
        &text.replace("`x|y`", "`x\\|y`"),
        "\
name   `n`
-----  ---
a | b    1
`x|y`
",
    );
    check("| | b |\n|---|---|\n| c | |", "   b\n-  -\nc\n");
    check("| | |\n|---|---|\n| c | d |", "-  -\nc  d\n");
}

#[test]
fn cells_are_wrapped_if_the_page_is_too_narrow() {
    let text = "| a | b |\n|---|---|\n| short | one two three four five six |\n| s | t |";
    check(
        text,
        "\
a      b
-----  -----------------------
short  one two three four five
       six

s      t
",
    );
}

#[test]
fn a_column_gives_width_to_its_neighbour_if_that_makes_the_table_shorter() {
    check(
        "| a | b |\n|---|---|\n| first second third fourth fifth sixth | ab cd ef gh ij kl |",
        "\
a                   b
------------------  ----------
first second third  ab cd ef
fourth fifth sixth  gh ij kl
",
    );
}

#[test]
fn a_table_of_too_many_columns_is_a_list() {
    let text =
        "| a | b | c |\n|---|---|---|\n| one one | wordwordword | wordwordwordword |\n| x | | z |";
    check(text, "one one\n  b: wordwordword\n  c: wordwordwordword\n\nx\n  c: z\n");
}

#[test]
fn what_is_wider_than_the_page_is_broken_at_a_joint() {
    check(
        "see http://example.org/a/rather/long/path",
        "see\nhttp://example.org/a/rather/\nlong/path\n",
    );
    check("`a.very_long_name().with_parts()`", "`a.very_long_name().with_\nparts()`\n");
}

#[test]
fn short_code_stays_on_one_line() {
    check("one two three four five `a b c`", "one two three four five\n`a b c`\n");
}

#[test]
fn comments_are_not_shown() {
    check("a\n<!-- b\n\nc -->\nd <!-- e --> f", "a\n\nd f\n");
    check("```text\n<!-- shown -->\n```", "    <!-- shown -->\n");
}

#[test]
fn marks_that_mark_nothing_are_letters() {
    for text in [
        "2 * 3 * 4",
        "snake_case_name",
        "a [b] c",
        "*open",
        "`open",
        "a < b && c",
        "x & y",
    ] {
        check(text, &format!("{text}\n"));
    }
    check("`*a* _b_ [c](d)`", "`*a* _b_ [c](d)`\n");
    check("\\*a\\* &lt;b&gt; &amp;lt; <code>&lt;c&gt;</code>", "*a* <b> &lt; `<c>`\n");
}

#[test]
fn a_link_that_leads_somewhere_says_where() {
    check("a [b *c*](there \"title\"), d", "a b *c* (there), d\n");
    check("[b](nowhere) [the there](there)", "b the there\n");
    check("![a `b`](there) [![](there)](nowhere)", "[figure: a `b`: there]\n[figure: there]\n");
}

#[test]
fn on_a_terminal_marks_are_styles() {
    let styled = |text: &str| print(text, true).replace('\x1b', "^");
    assert_eq!(styled("# A b"), "^[1;4mA b^[0m\n");
    assert_eq!(styled("a *b c* **d *e***."), "a ^[3mb c^[0m ^[1md^[0m ^[1;3me^[0m.\n");
    assert_eq!(styled("`a*b*` _c_"), "^[36ma*b*^[0m ^[3mc^[0m\n");
    assert_eq!(styled("no_emphasis_ a"), "no_emphasis_ a\n");
    assert_eq!(styled("[a](there)."), "a ^[2m(there)^[0m.\n");
    assert_eq!(styled("| a |\n|---|\n| b |"), "^[1ma^[0m\n-\nb\n");
}

#[test]
fn a_style_goes_on_in_the_next_line() {
    let printed = print("*one two three four five six seven*", true);
    assert_eq!(printed, "\x1b[3mone two three four five six\x1b[0m\n\x1b[3mseven\x1b[0m\n");
}

#[test]
fn the_question_is_the_paragraph_in_italics_below_the_title() {
    assert_eq!(
        question("# 1. A\n\n*Who\npolls `it`?*\n\nText").as_deref(),
        Some("Who polls `it`?")
    );
    for none in ["", "# A", "# A\n\nText *b*", "# A\n\n**b**", "*b*\n\n# A"] {
        assert_eq!(question(none), None, "{none}");
    }
}

/// Only `there` leads somewhere.
fn print(text: &str, styled: bool) -> String {
    let setting = Setting {
        width: 30,
        styled,
        answers: false,
        how_to_see_answers: "",
        follow: &|target| (target == "there").then(|| target.to_string()),
    };
    render(text, &setting)
}

#[track_caller]
fn check(text: &str, printed: &str) {
    assert_eq!(print(text, false), printed);
}
