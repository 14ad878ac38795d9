//! The pages of the book, for rustdoc: the Rust in them is compiled and run with the other tests.

macro_rules! pages {
    ($($page:ident $file:literal,)*) => {
        $(
            #[doc = include_str!(concat!("../docs/", $file))]
            struct $page;
        )*
    };
}

#[doc = include_str!("../README.md")]
struct Readme;

pages! {
    TenMinutes "00-ten-minutes.md",
    NothingHappens "01-nothing-happens.md",
    TheMachineInside "02-the-machine-inside.md",
    BlockOn "03-block-on.md",
    Wakers "04-wakers.md",
    RunQueue "05-run-queue.md",
    SpawnAndJoinhandle "06-spawn-and-joinhandle.md",
    Time "07-time.md",
    Together "08-together.md",
    FirstWins "09-first-wins.md",
    Stopping "10-stopping.md",
    Fairness "11-fairness.md",
    Channels "12-channels.md",
    Locks "13-locks.md",
    BlockingWork "14-blocking-work.md",
    TheOutsideWorld "15-the-outside-world.md",
    Structure "16-structure.md",
    Seeing "17-seeing.md",
    ToTokioAndThreads "18-to-tokio-and-threads.md",
    Exercises "exercises.md",
    Capstones "capstones.md",
    Glossary "glossary.md",
    Symptoms "symptoms.md",
    Contract "contract.md",
    Questions "questions.md",
    FromJavascript "from/javascript.md",
    FromPython "from/python.md",
    FromGo "from/go.md",
    FromCsharp "from/csharp.md",
    FromOcaml "from/ocaml.md",
    FromThreads "from/threads.md",
    Trace "trace.md",
    Lints "lints.md",
    PortingToTokio "porting-to-tokio.md",
    Design "design.md",
    Contributing "contributing.md",
}
