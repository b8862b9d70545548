//! A model behind an interface in JSON.

use std::sync::Arc;

use flow_datasets::{TableError, TableRows};
use flow_model::Model;

use crate::limits::Limits;

/// A model that is asked in JSON.
#[derive(Clone, Debug)]
pub struct Api {
    pub(crate) model: Arc<Model>,
    pub(crate) table: Option<TableRows>,
    /// The columns that it is told, of its table or beside its images, sequences or points.
    pub(crate) given: Option<TableRows>,
    pub(crate) limits: Limits,
}

impl Api {
    /// A model to ask.
    ///
    /// # Errors
    /// When what the model has kept of its table is damaged.
    pub fn new(model: Model, limits: Limits) -> Result<Self, TableError> {
        let table = TableRows::of(&model.config().rows)?;
        let given = TableRows::given_of(&model.config().rows)?;
        Ok(Self { model: Arc::new(model), table, given, limits })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Whether the model is told a class or numbers.
    pub(crate) fn is_told(&self) -> bool {
        let signature = self.model.signature();
        0 < signature.classes || 0 < self.model.vector() || !signature.context.is_empty()
    }

    /// Numbers in a conditioning row, 0 for none.
    pub(crate) fn context(&self) -> usize {
        let shape = &self.model.signature().context;
        if shape.is_empty() { 0 } else { shape.iter().product() }
    }

    /// Whether samples have a picture.
    pub(crate) fn has_pictures(&self) -> bool {
        self.table.is_none() && flow_plot::samples(&[], self.model.shape()).is_ok()
    }
}
