//! The command line: verbs and their options, as clap reads them.

mod model;
mod number;
mod rows;
mod run;
mod shared;

use clap::{Parser, Subcommand};

pub(crate) use model::{CardArgs, ExportArgs, ImportArgs, ServeArgs};
pub(crate) use rows::{CalibrateArgs, ImputeArgs, PosteriorArgs, PushArgs, SolveArgs};
pub(crate) use run::{
    CompareArgs, EvalArgs, LikelihoodArgs, QuestionArgs, RecipeArgs, SampleArgs, TrainArgs,
    VerifyArgs,
};
pub(crate) use shared::{AnswerArgs, ModelArgs, ScoredArgs};

/// Flow matching: train, sample, score and draw generative models.
#[derive(Debug, Parser)]
#[command(name = "flow", version, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Train a recipe, then sample, score and draw the result.
    Train(TrainArgs),
    /// Carry the rows of a file along the flow of a model, from one time to others.
    Push(PushArgs),
    /// Draw samples from a finished run, or from a model that `flow export` wrote.
    Sample(SampleArgs),
    /// Score a finished run or a model of its own, each score beside its floor.
    Eval(EvalArgs),
    /// Draw from the posterior of a model of a table given an observation, with log-densities.
    Posterior(PosteriorArgs),
    /// Fill the holes of a table, in several draws, under a model of a table.
    Impute(ImputeArgs),
    /// Answer a question: the pictures or rows that explain what was seen of them.
    Solve(SolveArgs),
    /// Rank held-out truths among draws: is the posterior calibrated, too narrow, too wide, biased?
    Calibrate(CalibrateArgs),
    /// Log-likelihood of data under a finished run or a model of its own, with bits per dimension
    /// of images.
    Likelihood(LikelihoodArgs),
    /// Draw the pictures of a finished run or of a model of its own.
    Plot(ScoredArgs),
    /// Write the model of a run as a file of its own, which needs neither the run nor its data.
    Export(ExportArgs),
    /// Make a model of weights that another program trained.
    Import(ImportArgs),
    /// Print what a model is: of a run, or of a file that `flow export` wrote.
    Card(CardArgs),
    /// Put a model behind HTTP, with a page to try it; needs the feature `serve`.
    Serve(ServeArgs),
    /// Compute published and derived numbers again and compare.
    Verify(VerifyArgs),
    /// Put runs side by side: where their recipes differ, and their scores.
    Compare(CompareArgs),
    /// List the recipes, data sets, choices of a recipe, solvers and devices.
    List,
    /// Print a recipe with all its comments, as a start for your own.
    Recipe(RecipeArgs),
}
