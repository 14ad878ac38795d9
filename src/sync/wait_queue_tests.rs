//! The wait queue against a model.
