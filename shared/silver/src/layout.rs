//! Where silver lies.
/// todo
pub struct Layout;
/// todo
pub struct Period;
