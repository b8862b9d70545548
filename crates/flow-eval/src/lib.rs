//! Scores of generative quality, each with its floor and its standard error.
