//! Initial-value problems over any vector space: tableaus, step control, dense output, events.
