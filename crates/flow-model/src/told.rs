//! What the network is told of each sample: its class, its length, its own numbers and rows; and
//! where its path starts.

use std::ops::Range;

use burn::tensor::Tensor;
use flow_nn::Condition;
use flow_sample::{Predictor, latents, lengths, starts};

use crate::error::ModelError;
use crate::model::{Model, size};
use crate::piece::{Piece, joined};
use crate::request::{Classes, SampleRequest};

impl Model {
    /// The classes of some samples; none for a model that knows none.
    ///
    /// # Errors
    /// When the model has no such class, or none at all and one is asked for, when the classes are
    /// given and not those of all these samples, and for more than the memory holds.
    pub fn classes_of(
        &self,
        classes: &Classes,
        range: Range<usize>,
    ) -> Result<Option<Vec<usize>>, ModelError> {
        let known = self.signature().classes;
        if known == 0 {
            let none = *classes == Classes::InTurn;
            return if none { Ok(None) } else { Err(ModelError::NoClasses) };
        }
        let mut asked = Vec::new();
        if asked.try_reserve_exact(range.len()).is_err() {
            let reason = format!("is {}, more than the memory holds", range.len());
            return Err(ModelError::Setting { key: "the number of samples".into(), reason });
        }
        match classes {
            Classes::InTurn => asked.extend(range.map(|i| i % known)),
            Classes::All(class) => asked.resize(range.len(), *class),
            Classes::Each(each) => {
                let (n, got) = (range.end, each.len());
                let wrong = ModelError::Rows { what: "class", n, size: 1, got };
                asked.extend(each.get(range).ok_or(wrong)?);
            }
        }
        match asked.iter().find(|class| known <= **class) {
            None => Ok(Some(asked)),
            Some(&class) => {
                let names = self.class_names().join(", ");
                let names = if names.is_empty() { names } else { format!(" ({names})") };
                Err(ModelError::NoSuchClass { class, last: known - 1, names })
            }
        }
    }

    /// The class of this name.
    ///
    /// # Errors
    /// When the model has none of this name.
    pub fn class_named(&self, name: &str) -> Result<usize, ModelError> {
        let names = self.class_names();
        names.iter().position(|known| known == name).ok_or_else(|| {
            let known = if names.is_empty() { "none".into() } else { names.join(", ") };
            ModelError::NoClassNamed { name: name.into(), known }
        })
    }

    /// How many elements some samples have, of a model of sequences that may end early: as they are
    /// asked for, else drawn as those of the data are.
    ///
    /// # Panics
    /// When lengths are asked for and not those of all these samples.
    #[must_use]
    pub fn lengths_of(
        &self,
        request: &SampleRequest<'_>,
        range: Range<usize>,
    ) -> Option<Vec<usize>> {
        if !self.signature().lengths {
            return None;
        }
        if let Some(given) = &request.lengths {
            let some = given.get(range.clone());
            let n = given.len();
            return Some(
                some.unwrap_or_else(|| panic!("{n} lengths are none of {range:?}")).to_vec(),
            );
        }
        Some(lengths(request.seed, range, &self.config().lengths))
    }

    /// The classes of all samples of some pieces.
    pub(crate) fn classes_of_pieces(
        &self,
        pieces: &[Piece<'_>],
    ) -> Result<Option<Vec<usize>>, ModelError> {
        let of =
            |Piece { request, range }: &Piece<'_>| self.classes_of(&request.classes, range.clone());
        let classes: Option<Vec<Vec<usize>>> = pieces.iter().map(of).collect::<Result<_, _>>()?;
        Ok(classes.map(|classes| classes.concat()))
    }

    /// The lengths of all samples of some pieces.
    pub(crate) fn lengths_of_pieces(&self, pieces: &[Piece<'_>]) -> Option<Vec<usize>> {
        let of = |Piece { request, range }: &Piece<'_>| self.lengths_of(request, range.clone());
        let lengths: Option<Vec<Vec<usize>>> = pieces.iter().map(of).collect();
        lengths.map(|lengths| lengths.concat())
    }

    /// All that is known of some samples.
    pub(crate) fn condition_of(
        &self,
        pieces: &[Piece<'_>],
        classes: Option<&[usize]>,
    ) -> Condition {
        let signature = self.signature();
        // A request has rows of its own for each sample, or none has: `check` has seen to it.
        let rows = |all: Own, size: usize| {
            let mut rows = Vec::new();
            for Piece { request, range } in pieces {
                rows.extend_from_slice(&all(request)?[range.start * size..range.end * size]);
            }
            Some(self.tensor(&rows, size))
        };
        let mut condition = classes
            .map_or_else(Condition::none, |classes| Condition::classes(classes, &self.device));
        if let Some(vectors) = rows(|request| request.vectors.as_deref(), self.vector()) {
            condition = condition.with_vector(vectors);
        }
        if let Some(contexts) =
            rows(|request| request.contexts.as_deref(), size(&signature.context))
        {
            condition = condition.with_context(contexts);
        }
        if let Some(lengths) = self.lengths_of_pieces(pieces) {
            condition = condition.with_lengths(&lengths);
        }
        match signature.latent {
            0 => condition,
            size => {
                condition.with_latent(joined(pieces, |Piece { request, range }| {
                    match &request.latents {
                        Some(given) => {
                            self.tensor(&given[range.start * size..range.end * size], size)
                        }
                        None => latents(request.seed, range.clone(), size, &self.device),
                    }
                }))
            }
        }
    }

    /// Where the paths of some pieces start.
    pub(crate) fn starts_of(&self, pieces: &[Piece<'_>], predictor: &dyn Predictor) -> Tensor<2> {
        let size = self.signature().size();
        joined(pieces, |Piece { request, range }| match &request.starts {
            Some(rows) => self.tensor(&rows[range.start * size..range.end * size], size),
            None => {
                starts(request.seed, range.clone(), size, &self.source, predictor, &self.device)
            }
        })
    }
}

/// Rows of a request's own.
type Own = for<'r> fn(&'r SampleRequest<'r>) -> Option<&'r [f32]>;
