//! The loop, under a clock that tests turn.
