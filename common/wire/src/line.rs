//! Text cut at its newlines.
