//! Tables: columns that are as wide as they must be, and a page that is not.
//!
//! If the table is narrower than the page, each column is as wide as its widest cell. If not, the
//! page is shared out: every column gets as much as it wants, up to a level that is the same for
//! all, so a column of short words keeps them whole and the columns of sentences share what is
//! left. Their cells are wrapped, and a blank line parts the rows. That is fair, and not yet good:
//! one long sentence may cost lines where its neighbours have room. So width is moved from column
//! to column as long as the table gets shorter by it.
//!
//! If columns would be too narrow to be read, each row is written as a list.

use crate::letters::{Letter, Line, Style, Word, hanging, letters, spaces, unbroken, wrapped};
use std::collections::HashMap;

/// The words of a cell.
pub type Cell = Vec<Word>;

pub struct Table {
    /// The first row is the head.
    pub rows: Vec<Vec<Cell>>,
    /// For each column, whether it is aligned to the right.
    pub to_the_right: Vec<bool>,
}

/// Between two columns.
const GAP: usize = 2;

/// A column that is narrower, and must break words, cannot be read.
const READABLE: usize = 12;

/// By how much a column is made narrower, and another one wider, to see if that is better.
const STEPS: [usize; 5] = [1, 2, 4, 8, 16];

impl Table {
    pub fn lines(&self, width: usize) -> Vec<Line> {
        let columns = self.to_the_right.len();
        let for_text = width.saturating_sub(GAP * (columns - 1));
        let wanted = self.widest(|cell| wrapped(cell, usize::MAX).first().map_or(0, Vec::len));
        let fair = for_text / columns;
        let needed = self.widest(|cell| longest_word(cell, fair));
        let is_readable = fair >= READABLE || needed.iter().sum::<usize>() <= for_text;
        if wanted.iter().sum::<usize>() > for_text && !is_readable {
            return self.as_list(width);
        }
        let needed: Vec<usize> = match needed.iter().sum::<usize>() <= for_text {
            true => needed,
            false => needed.iter().map(|&needed| needed.min(READABLE)).collect(),
        };
        let mut heights = Heights {
            table: self,
            known: HashMap::new(),
        };
        let fair = shared_out(for_text, &needed, &wanted);
        self.in_columns(&heights.lowered(fair, &needed))
    }

    /// For each column, the largest measure of its cells.
    fn widest(&self, measure: impl Fn(&Cell) -> usize) -> Vec<usize> {
        let columns = 0..self.to_the_right.len();
        let of_column =
            |column| self.rows.iter().map(|row| measure(&row[column])).max().unwrap_or(0);
        columns.map(of_column).collect()
    }

    fn in_columns(&self, widths: &[usize]) -> Vec<Line> {
        let (head, body) = self.rows.split_first().expect("a table has a head");
        let mut lines = self.row(head, widths);
        let rules = widths.iter().map(|&width| letters(&"-".repeat(width), Style::default()));
        lines.push(rules.collect::<Vec<_>>().join(&spaces(GAP)[..]));

        let body: Vec<Vec<Line>> = body.iter().map(|row| self.row(row, widths)).collect();
        let is_wrapped = body.iter().any(|row| row.len() > 1);
        for (index, row) in body.into_iter().enumerate() {
            if is_wrapped && index > 0 {
                lines.push(Line::new());
            }
            lines.extend(row);
        }
        lines
    }

    fn row(&self, row: &[Cell], widths: &[usize]) -> Vec<Line> {
        let cells: Vec<Vec<Line>> =
            row.iter().zip(widths).map(|(cell, &width)| wrapped(cell, width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let line = |index: usize| {
            let columns = cells.iter().zip(widths).zip(&self.to_the_right);
            let parts = columns.map(|((cell, &width), &right)| {
                let text = cell.get(index).map_or(&[][..], Vec::as_slice);
                let room = spaces(width - text.len());
                if right { [&room, text].concat() } else { [text, &room].concat() }
            });
            parts.collect::<Vec<Line>>().join(&spaces(GAP)[..])
        };
        (0..height).map(line).collect()
    }

    /// Each row as its first cell, and below that the others, each behind the head of its column.
    fn as_list(&self, width: usize) -> Vec<Line> {
        let (head, body) = self.rows.split_first().expect("a table has a head");
        let mut lines = Vec::new();
        for row in body {
            if !lines.is_empty() {
                lines.push(Line::new());
            }
            lines.extend(wrapped(&row[0], width));
            for (head, cell) in head.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty()) {
                let mut words = head.clone();
                if let Some(last) = words.last_mut() {
                    last.extend(letters(":", Style::default()));
                }
                words.extend(cell.iter().cloned());
                lines.extend(hanging(wrapped(&words, width - 4), "  ", "    "));
            }
        }
        lines
    }
}

/// How many lines cells take in columns of some width. Many widths are tried, so what was found out
/// is kept.
struct Heights<'a> {
    table: &'a Table,
    /// By column and width: for each row.
    known: HashMap<(usize, usize), Vec<usize>>,
}

impl Heights<'_> {
    /// The lines of the table; and those of all its cells, for of two tables that are equally long
    /// the one with fewer broken cells is better.
    fn of_table(&mut self, widths: &[usize]) -> (usize, usize) {
        let mut rows = vec![0; self.table.rows.len()];
        let mut of_cells = 0;
        for (column, &width) in widths.iter().enumerate() {
            for (row, &height) in rows.iter_mut().zip(self.of_column(column, width)) {
                *row = height.max(*row);
                of_cells += height;
            }
        }
        let is_wrapped = rows[1..].iter().any(|&height| height > 1);
        let blank = if is_wrapped { rows.len() } else { 0 };
        (rows.iter().sum::<usize>() + blank, of_cells)
    }

    /// Moves width from column to column, as long as that makes the table shorter.
    fn lowered(&mut self, mut widths: Vec<usize>, needed: &[usize]) -> Vec<usize> {
        loop {
            let best = moves(&widths, needed).min_by_key(|widths| self.of_table(widths));
            let now = self.of_table(&widths);
            match best.filter(|best| self.of_table(best) < now) {
                Some(best) => widths = best,
                None => return widths,
            }
        }
    }

    fn of_column(&mut self, column: usize, width: usize) -> &[usize] {
        self.known.entry((column, width)).or_insert_with(|| {
            let rows = self.table.rows.iter();
            rows.map(|row| wrapped(&row[column], width).len()).collect()
        })
    }
}

/// All ways to move width from one column, which keeps what it needs, to another one.
fn moves(widths: &[usize], needed: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let columns = 0..widths.len();
    let pairs = columns.clone().flat_map(move |from| columns.clone().map(move |to| (from, to)));
    let pairs = pairs.filter(|(from, to)| from != to);
    let moves = pairs.flat_map(|(from, to)| STEPS.map(|step| (from, to, step)));
    moves
        .filter(|&(from, _, step)| widths[from] >= needed[from] + step)
        .map(|(from, to, step)| {
            let mut widths = widths.to_vec();
            widths[from] -= step;
            widths[to] += step;
            widths
        })
}

/// What a column of `width` must be able to hold.
fn longest_word(cell: &Cell, width: usize) -> usize {
    let words = cell.iter().flat_map(|word: &Word| unbroken(word, width));
    words.map(<[Letter]>::len).max().unwrap_or(0)
}

/// Shares `width` out: to each column at least what it needs, at most what it wants, and else the
/// same to all.
fn shared_out(width: usize, needed: &[usize], wanted: &[usize]) -> Vec<usize> {
    let at_level = |level: usize| -> Vec<usize> {
        let columns = needed.iter().zip(wanted);
        columns.map(|(&needed, &wanted)| level.clamp(needed, wanted.max(needed))).collect()
    };
    let fits = |level: &usize| at_level(*level).iter().sum::<usize>() <= width;
    let level = (0..=width).rev().find(fits).unwrap_or(0);
    let mut widths = at_level(level);
    // What is left over is too little for one more each.
    let mut left = width.saturating_sub(widths.iter().sum());
    for (width, &wanted) in widths.iter_mut().zip(wanted) {
        if left > 0 && *width < wanted {
            *width += 1;
            left -= 1;
        }
    }
    widths
}
