//! Random programs: lists of steps that are played on the real thing and on a model of a page, and
//! must come out the same.

use proptest::test_runner::{Config, RngAlgorithm};

/// The configuration of every `proptest!` that plays programs. How many are played,
/// `PROPTEST_CASES` in the environment may say.
pub fn random_programs() -> Config {
    Config {
        // The usual random numbers cannot be foreseen, which no test needs, and to make them takes
        // four fifths of the time in a debug build.
        rng_algorithm: RngAlgorithm::XorShift,
        // Nothing is written to the disk: a program that fails is printed, as small as it can be,
        // and becomes a test with a name.
        failure_persistence: None,
        ..Config::default()
    }
}
