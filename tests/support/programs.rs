//! Random programs: a list of steps that is played on the real thing and on a model of a page, and
//! must come out the same.

use proptest::test_runner::{Config, RngAlgorithm};

/// What every `proptest!` that plays programs is configured with. `PROPTEST_CASES` in the
/// environment says how many are played.
pub fn random_programs() -> Config {
    Config {
        // Making the usual random numbers, safe against an enemy, takes four fifths of the time in
        // a debug build, and there is none.
        rng_algorithm: RngAlgorithm::XorShift,
        // Nothing is written to the disk: a program that fails is printed, as small as it can be,
        // and becomes a test with a name.
        failure_persistence: None,
        ..Config::default()
    }
}
