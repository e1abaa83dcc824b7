use tables::postgres::printed;

use super::Options;

/// What `--print` gives: every migration with the record of it, and the days. To run it again changes nothing, because its
/// first statement fails then.
pub(super) fn sql(options: &Options) -> String {
    let keep = options
        .keep_days
        .map_or("NULL".to_owned(), |keep| keep.to_string());
    let since = options
        .days_since
        .map_or("NULL".to_owned(), |since| format!("'{since}'"));
    let ahead = options.days_ahead;
    let migrations = printed();
    format!(
        "-- The tables of quotes. As their owner, and on a database without them: psql -v ON_ERROR_STOP=1 -f FILE\n\
         {migrations}\nCALL quotelake_days({ahead}, {keep}, {since});\n"
    )
}
