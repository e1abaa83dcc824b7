//! What `template.yaml` promises: its policies, its encryption, and that its alarms are about what is measured.

mod alarms;
mod assembled;
mod document;
mod emitted;
mod limits;
mod metrics;
mod permissions;
mod protection;

use document::Template;
