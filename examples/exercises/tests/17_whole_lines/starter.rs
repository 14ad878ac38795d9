// Exercise 17: a reader of lines that may be dropped at every await. The task is in README.md.

use handspun::sync::mpsc::Receiver;

/// Puts pieces together to lines.
pub struct LineReader {
    pieces: Receiver<&'static str>,
    // What else must outlive a call that is dropped?
}

impl LineReader {
    pub fn new(pieces: Receiver<&'static str>) -> LineReader {
        LineReader { pieces }
    }

    /// The next line, with its newline; the last one may have none. `None` at the end.
    pub async fn read_line(&mut self) -> Option<String> {
        todo!("`read_line`: the next line, however its pieces come")
    }

    /// The next two lines, which belong together. `None` if there are no two: one that is left is
    /// still there for `read_line`.
    pub async fn read_pair(&mut self) -> Option<(String, String)> {
        todo!("`read_pair`: two lines, or none")
    }
}
