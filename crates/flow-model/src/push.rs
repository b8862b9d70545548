//! Given rows carried along the flow, from any time to any other.

use flow_kernels::on_pool;
use flow_ode::{Method, Stepping};
use flow_sample::push;

use crate::error::ModelError;
use crate::model::{Model, host};
use crate::piece::Piece;
use crate::request::{SampleRequest, Samples};

impl Model {
    /// Carries rows along the flow from `times[0]` through the other times, which lie all after it
    /// or all before it: from noise or data to where the model leads, or back.
    ///
    /// The rows are `request.starts`, at the scale of `x_t`. The answer holds them at the last
    /// time, and at each of the times after the first among its states. Of a request for no
    /// samples nothing is carried.
    ///
    /// # Errors
    /// When the request does not fit the model, names no rows or rows that are no finite numbers, a
    /// time is none of the flow, or a solve fails.
    pub fn push(
        &self,
        request: &SampleRequest<'_>,
        times: &[f64],
        method: Method,
        stepping: &Stepping,
    ) -> Result<Samples, ModelError> {
        self.check(request)?;
        self.check_velocity(request)?;
        let size = self.signature().size();
        let Some(starts) = &request.starts else {
            return Err(ModelError::Missing { what: "start", size });
        };
        if self.signature().lengths && request.lengths.is_none() {
            return Err(ModelError::Missing { what: "length", size: 1 });
        }
        let kept = times.len().saturating_sub(1);
        let mut all = Samples { states: vec![Vec::new(); kept], ..Samples::default() };
        let together = request.batch.max(1);
        for start in (0..request.n).step_by(together) {
            let range = start..(start + together).min(request.n);
            let n = range.len() as f64;
            let rows = &starts[range.start * size..range.end * size];
            let part = on_pool(&self.device, || {
                self.asked(&[Piece { request, range }], |predictor| {
                    let pushed = push(predictor, self.tensor(rows, size), times, method, stepping)?;
                    let states = pushed.states.into_iter().map(host).collect();
                    let nfe = pushed.nfe as f64;
                    Ok(Samples { rows: host(pushed.x), states, nfe, ..Samples::default() })
                })
            })?;
            for (all, part) in all.states.iter_mut().zip(part.states) {
                all.extend(part);
            }
            all.rows.extend(part.rows);
            all.nfe += part.nfe * n / request.n as f64;
        }
        Ok(all)
    }
}
