//! The checks, checked: a starter is not written yet, a solution passes, and each wrong answer is
//! found wrong, by its name. And an exercise has all of its parts.
//!
//! A wrong answer is the solution with one mistake in it, so only the mistake is written down, as a
//! diff: see [`with_mistake`]. All exercises are built at once, in rounds: the starters, the
//! solutions, the first wrong answers, the second.
//!
//! Run: `cargo test -p handspun-exercises --features others --test meta`. With
//! `HANDSPUN_EXERCISE=08` in the environment, and `-- --nocapture`, only the answers to that one
//! are tried, and what each of them is told is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

const EXERCISES: usize = 24;

/// Names a number, for who writes that exercise: no other is tried, and what it says is printed.
const ONLY: &str = "HANDSPUN_EXERCISE";

/// The parts of a README, below the title, the line of facts and the task.
const PARTS: [&str; 6] = [
    "## What must hold",
    "## Predict",
    "## Hint 1",
    "## Hint 2",
    "## Hint 3",
    "## Afterwards",
];

/// A task is read in the terminal, above all that the check says.
const MOST_LINES: usize = 8;

/// The drawing and what stands above it.
const MOST_COLUMNS: usize = 80;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Starter,
    Solution,
    Wrong,
}

/// A file that stands in for `answer.rs`.
struct Answer {
    kind: Kind,
    file: PathBuf,
}

impl Answer {
    fn name(&self) -> &str {
        self.file.file_stem().and_then(OsStr::to_str).expect("a file with a name")
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The folders of the exercises: `"01_countdown"`.
fn exercises() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder is there").flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn number(exercise: &str) -> &str {
    exercise.split('_').next().expect("a name has a beginning")
}

fn wrong_answers(exercise: &str) -> Vec<PathBuf> {
    let folder = folder().join(exercise).join("wrong");
    let entries = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{exercise} has no `wrong`"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

// The answers.

#[test]
fn starters_are_not_written_solutions_pass_and_wrong_answers_are_called_by_their_names() {
    let mut breaches = Vec::new();
    let answers = answers();
    assert!(!answers.is_empty(), "no exercise has the number in {ONLY}: two digits");
    for (program, output, seconds) in run_all(&answers) {
        let Built {
            exercise,
            answer,
            file,
        } = program;
        println!("{seconds:6.2} s  {exercise}  {:?} {}", answer.kind, answer.name());
        if env::var_os(ONLY).is_some() {
            println!("{}", String::from_utf8_lossy(&output.stdout));
        }
        // Some exercises are on the real clock, and beside compilers a thread may have to wait. So
        // whoever is misjudged is judged once more, alone.
        let judged = judge(exercise, answer, &output);
        let alone = judged.is_err().then(|| execute(&file));
        let output = alone.unwrap_or(output);
        if let Err(what) = judge(exercise, answer, &output) {
            breaches.push(format!(
                "{exercise}, {}: {what}:\n{}{}",
                answer.name(),
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            ));
        }
        let _ = fs::remove_file(&file);
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// Each exercise with its answers.
fn answers() -> BTreeMap<String, Vec<Answer>> {
    let mut answers = BTreeMap::new();
    for exercise in exercises().into_iter().filter(|exercise| is_asked_for(exercise)) {
        let file = |name: &str| folder().join(&exercise).join(name);
        let mut all = vec![
            (Kind::Starter, file("starter.rs")),
            (Kind::Solution, file("solution.rs")),
        ];
        let wrong = wrong_answers(&exercise).into_iter();
        all.extend(wrong.map(|diff| (Kind::Wrong, written_out(&exercise, &diff))));
        let all = all.into_iter().map(|(kind, file)| Answer { kind, file });
        answers.insert(exercise.clone(), all.collect());
    }
    answers
}

/// Writes a wrong answer into a file of its own.
fn written_out(exercise: &str, diff: &Path) -> PathBuf {
    let read = |file: &Path| fs::read_to_string(file).expect("a file of text");
    let solution = read(&folder().join(exercise).join("solution.rs"));
    let answer = with_mistake(&solution, &read(diff));
    let answer = answer.unwrap_or_else(|what| panic!("{}: {what}", diff.display()));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong").join(exercise);
    let name = diff.file_stem().expect("a file with a name");
    fs::create_dir_all(&place).expect("there is room for a file");
    let file = place.join(name).with_extension("rs");
    fs::write(&file, answer).expect("there is room for a file");
    file
}

/// The solution, changed: below each `@@` of the diff stand lines of it, those that go (`-`), those
/// that come (`+`), and as many around them (behind a blank) as are needed to say where that is.
fn with_mistake(solution: &str, diff: &str) -> Result<String, String> {
    let mut changes: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for line in diff.lines() {
        // An empty line has lost its blank.
        let text = line.get(1..).unwrap_or_default();
        match (line.chars().next(), changes.last_mut()) {
            _ if line == "@@" => changes.push((Vec::new(), Vec::new())),
            (_, None) => {} // Above the first, in words, what the mistake is.
            (Some('-'), Some((old, _))) => old.push(text),
            (Some('+'), Some((_, new))) => new.push(text),
            (_, Some((old, new))) => {
                old.push(text);
                new.push(text);
            }
        }
    }
    let lines: Vec<&str> = solution.lines().collect();
    let mut places = Vec::new();
    for (old, new) in changes {
        let stands = |at: &usize| lines[*at..].starts_with(&old);
        let found: Vec<usize> = (0..lines.len()).filter(stands).collect();
        let [at] = found[..] else {
            let times = found.len();
            return Err(format!("these stand there {times} times, not once:\n{}", old.join("\n")));
        };
        places.push((at..at + old.len(), new));
    }
    places.sort_by_key(|(range, _)| range.start);
    let mut changed = Vec::new();
    let mut done = 0;
    for (range, new) in places {
        changed.extend(lines.get(done..range.start).ok_or("one line is changed twice")?);
        changed.extend(new);
        done = range.end;
    }
    changed.extend(&lines[done..]);
    Ok(changed.join("\n") + "\n")
}

#[test]
fn a_mistake_is_made_where_its_lines_stand_and_only_there() {
    let solution = "a\nb\n\nc\nb\n";
    let with = |diff: &str| with_mistake(solution, &format!("What it is.\n\n@@\n{diff}"));
    assert_eq!(with(" a\n-b\n+x\n+y\n").unwrap(), "a\nx\ny\n\nc\nb\n");
    assert_eq!(with("-c\n@@\n b\n\n+x\n").unwrap(), "a\nb\n\nx\nb\n");
    assert_eq!(with("-b\n").unwrap_err(), "these stand there 2 times, not once:\nb");
    assert_eq!(with("-x\n").unwrap_err(), "these stand there 0 times, not once:\nx");
    assert_eq!(with(" a\n-b\n@@\n-b\n\n").unwrap_err(), "one line is changed twice");
}

fn is_asked_for(exercise: &str) -> bool {
    let Some(asked_for) = env::var_os(ONLY) else {
        return true;
    };
    asked_for == number(exercise)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A check that was built with an answer.
struct Built<'a> {
    exercise: &'a str,
    answer: &'a Answer,
    file: PathBuf,
}

/// Builds all and runs all: what each has printed, and how many seconds it took. Those of a round
/// run while the next are built: who hangs only waits for its watchdog, and nobody waits for it.
fn run_all(answers: &BTreeMap<String, Vec<Answer>>) -> Vec<(Built<'_>, Output, f64)> {
    const AT_A_TIME: usize = 6;
    let rounds = answers.values().map(Vec::len).max().unwrap_or(0);
    let (send, built) = channel::<Built>();
    let built = Mutex::new(built);
    let worker = || {
        let mut ran = Vec::new();
        loop {
            let next = built.lock().unwrap().recv();
            let Ok(program) = next else {
                return ran;
            };
            let begin = Instant::now();
            let output = execute(&program.file);
            ran.push((program, output, begin.elapsed().as_secs_f64()));
        }
    };
    let mut all: Vec<(Built, Output, f64)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(worker)).collect();
        for round in 0..rounds {
            for program in build(round, answers) {
                send.send(program).expect("a worker is there");
            }
        }
        drop(send);
        workers.into_iter().flat_map(|worker| worker.join().expect("it runs programs")).collect()
    });
    assert_eq!(all.len(), answers.values().map(Vec::len).sum::<usize>());
    all.sort_by_key(|(program, ..)| (program.exercise, &program.answer.file));
    all
}

fn execute(program: &Path) -> Output {
    Command::new(program).current_dir(workspace()).output().unwrap()
}

/// Builds the checks with the answers of this round, by one call of cargo, and puts the programs
/// where those of the next round will not take their places.
fn build(round: usize, answers: &BTreeMap<String, Vec<Answer>>) -> Vec<Built<'_>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace());
    cargo.args([
        "test",
        "--no-run",
        "--quiet",
        "--package",
        "handspun-exercises",
    ]);
    cargo.args([
        "--features",
        "others",
        "--message-format",
        "json-render-diagnostics",
    ]);
    // They are run once: what would help to build them again, or to debug them, is waste.
    cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "0");
    let of_round: Vec<(&str, &Answer)> = answers
        .iter()
        .filter_map(|(exercise, answers)| Some((exercise.as_str(), answers.get(round)?)))
        .collect();
    for (exercise, answer) in &of_round {
        cargo.args(["--test", exercise]);
        cargo.env(format!("HANDSPUN_ANSWER_{}", number(exercise)), &answer.file);
    }
    let output = cargo.output().expect("cargo can be called");
    let messages = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "an answer does not compile:\n{errors}");

    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers");
    fs::create_dir_all(&place).expect("there is room for programs");
    let moved = |(exercise, answer)| {
        let file = place.join(format!("{exercise}-{round}{}", env::consts::EXE_SUFFIX));
        fs::rename(executable(&messages, exercise), &file).expect("a program can be moved");
        Built {
            exercise,
            answer,
            file,
        }
    };
    of_round.into_iter().map(moved).collect()
}

/// Where cargo says that a program is.
fn executable(messages: &str, exercise: &str) -> PathBuf {
    // A line of JSON for each target, with its name, and the file that it became.
    let of_target = format!("\"name\":\"{exercise}\"");
    let line = messages.lines().rfind(|line| {
        line.contains("\"reason\":\"compiler-artifact\"") && line.contains(&of_target)
    });
    let path = line.and_then(|line| line.split("\"executable\":\"").nth(1)?.split('"').next());
    let path = path.unwrap_or_else(|| panic!("cargo does not say where {exercise} is"));
    PathBuf::from(path.replace("\\\\", "\\"))
}

fn judge(exercise: &str, answer: &Answer, output: &Output) -> Result<(), String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let title = exercise.replacen('_', " ", 1);
    let expected = match answer.kind {
        Kind::Starter => format!("{title}: not written yet: "),
        Kind::Solution => format!("{title}: solved ("),
        Kind::Wrong => format!("{title}: not solved\n"),
    };
    if !text.starts_with(&expected) {
        return Err(format!("does not begin with {expected:?}"));
    }
    let code = if answer.kind == Kind::Solution { 0 } else { 1 };
    if output.status.code() != Some(code) {
        return Err(format!("ends with {}", output.status));
    }
    if answer.kind == Kind::Solution {
        return Ok(());
    }
    if !text.contains(&format!("\na hint: cargo run -- hint {}\n", number(exercise))) {
        return Err("does not say how to get a hint".to_string());
    }
    let is_named = || text.contains(&format!("This looks like `{}`: ", answer.name()));
    if answer.kind == Kind::Wrong && !is_named() {
        return Err(format!("is not called `{}`", answer.name()));
    }
    let is_drawn = text.contains("\n seconds ");
    if is_drawn && !text.contains("HERE: ") {
        return Err("has a drawing, and nothing is marked in it".to_string());
    }
    // Below the drawing are words of others. And how long the path of a file is, is not up to us.
    let above = text.split("\nA lint: ").next().and_then(|text| text.split("\nThe panic").next());
    let is_wide = |line: &&str| line.chars().count() > MOST_COLUMNS && !line.contains(".rs:");
    match above.unwrap_or_default().lines().find(is_wide) {
        Some(line) => Err(format!("is wider than {MOST_COLUMNS} columns: {line}")),
        None => Ok(()),
    }
}

// The parts.

#[test]
fn the_numbers_have_no_gaps() {
    let numbers = exercises().into_iter().map(|name| number(&name).parse().unwrap());
    assert_eq!(numbers.collect::<Vec<usize>>(), (1..=EXERCISES).collect::<Vec<_>>());
}

#[test]
fn each_exercise_is_in_the_manifest_and_has_all_files() {
    let mut breaches = Vec::new();
    let manifest = fs::read_to_string(folder().join("../Cargo.toml")).unwrap();
    for exercise in exercises() {
        let entry = format!("[[test]]\nname = \"{exercise}\"\nharness = false\n");
        if !manifest.contains(&entry) {
            breaches.push(format!("{exercise}: not in Cargo.toml:\n{entry}"));
        }
        for file in ["README.md", "starter.rs", "main.rs", "solution.rs"] {
            if !folder().join(&exercise).join(file).is_file() {
                breaches.push(format!("{exercise}: {file} is missing"));
            }
        }
        let own = format!("HANDSPUN_ANSWER_{}", number(&exercise));
        let check = fs::read_to_string(folder().join(&exercise).join("main.rs")).unwrap();
        if !check.contains(&own) || !check.contains(&format!("Check::new(\"{exercise}\")")) {
            breaches.push(format!("{exercise}: main.rs does not speak of {own} and its own name"));
        }
        let wrong = wrong_answers(&exercise);
        let names: BTreeSet<_> = wrong.iter().filter_map(|file| file.file_stem()).collect();
        if names.len() < 2 {
            breaches.push(format!("{exercise}: two wrong answers are the least"));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn each_readme_has_all_parts() {
    let mut breaches = Vec::new();
    for exercise in exercises() {
        let file = folder().join(&exercise).join("README.md");
        let readme = fs::read_to_string(&file).unwrap_or_default();
        if let Err(what) = read(&exercise, &readme) {
            breaches.push(format!("{}: {what}", file.display()));
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

fn read(exercise: &str, readme: &str) -> Result<(), String> {
    let (head, mut rest) = readme.split_once("\n## ").ok_or("no parts")?;
    let mut lines = head.lines();
    let title = lines.next().unwrap_or_default();
    if title.to_lowercase().replace(' ', "_") != format!("#_{exercise}") {
        return Err(format!("{title:?} is not the title of {exercise}"));
    }
    lines.next();
    facts(exercise, lines.next().unwrap_or_default())?;
    let task = lines.filter(|line| !line.is_empty()).count();
    if task == 0 || task > MOST_LINES {
        return Err(format!("a task of {task} lines: one to {MOST_LINES}"));
    }
    for (nth, part) in PARTS.iter().enumerate() {
        let name = part.trim_start_matches("## ");
        let body;
        (body, rest) = rest.split_once("\n## ").unwrap_or((rest, ""));
        let body = body.strip_prefix(name).ok_or(format!("part {} is not {part:?}", nth + 1))?;
        if !body.starts_with('\n') || body.trim().is_empty() {
            return Err(format!("{part:?} is empty"));
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(format!("a part too many: {rest}")) }
}

/// `★★ · 20 minutes · chapter 5, [The run queue](../../../../docs/05-run-queue.md)`
fn facts(exercise: &str, line: &str) -> Result<(), String> {
    let form = "the third line is `★ · 10 minutes · chapter 1, [its title](its file)`";
    let [stars, minutes, chapter] = line.split(" · ").collect::<Vec<_>>()[..] else {
        return Err(form.to_string());
    };
    let are_stars = (1..=4).contains(&stars.chars().count()) && stars.chars().all(|c| c == '★');
    let minutes = minutes.strip_suffix(" minutes").map(str::parse::<u32>);
    let chapter = chapter.strip_prefix("chapter ").and_then(|chapter| chapter.split_once(", ["));
    let (true, Some(Ok(_)), Some((chapter, link))) = (are_stars, minutes, chapter) else {
        return Err(form.to_string());
    };
    let (title, file) = link.strip_suffix(')').and_then(|l| l.split_once("](")).ok_or(form)?;
    let page = fs::read_to_string(folder().join(exercise).join(file))
        .map_err(|_| format!("{file} does not exist"))?;
    match page.starts_with(&format!("# {chapter}. {title}\n")) {
        true => Ok(()),
        false => Err(format!("chapter {chapter} is not {title:?} in {file}")),
    }
}
