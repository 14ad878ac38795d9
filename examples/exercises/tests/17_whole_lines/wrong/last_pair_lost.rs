// Exercise 17, wrong: a pair is over only with its second newline.

use handspun::sync::mpsc::Receiver;

/// Puts pieces together to lines.
pub struct LineReader {
    pieces: Receiver<&'static str>,
    /// What has come, and was not returned yet.
    arrived: String,
}

impl LineReader {
    pub fn new(pieces: Receiver<&'static str>) -> LineReader {
        let arrived = String::new();
        LineReader { pieces, arrived }
    }

    /// The next line, with its newline; the last one may have none. `None` at the end.
    ///
    /// # Cancel safety
    /// Cancel safe: a call that is dropped has returned nothing, and the next one goes on.
    pub async fn read_line(&mut self) -> Option<String> {
        self.wait_for(1).await;
        self.take_line()
    }

    /// The next two lines, which belong together. `None` if there are no two: one that is left is
    /// still there for `read_line`.
    ///
    /// # Cancel safety
    /// Cancel safe: a call that is dropped has taken neither of them.
    pub async fn read_pair(&mut self) -> Option<(String, String)> {
        self.wait_for(2).await;
        if self.arrived.matches('\n').count() < 2 {
            return None;
        }
        Some((self.take_line()?, self.take_line()?))
    }

    /// Until so many lines have come, or all that there are. Here is the only await, and what it
    /// brings is put where it stays before there is another.
    async fn wait_for(&mut self, lines: usize) {
        while self.arrived.matches('\n').count() < lines {
            let Some(piece) = self.pieces.recv().await else {
                return;
            };
            self.arrived.push_str(piece);
        }
    }

    /// Takes the first line of what has come. It does not wait, so nobody can drop it half done.
    fn take_line(&mut self) -> Option<String> {
        let end = self.arrived.find('\n').map_or(self.arrived.len(), |newline| newline + 1);
        (end > 0).then(|| self.arrived.drain(..end).collect())
    }
}
