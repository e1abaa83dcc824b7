use pipeline_tests::table_conformance::{
    keeps_every_promise, writers_at_once_end_in_the_same_tables,
};
use tables::MemoryTables;

#[tokio::test]
async fn the_tables_in_memory_keep_every_promise() {
    let tables = MemoryTables::default();
    keeps_every_promise(&tables).await;
    writers_at_once_end_in_the_same_tables(&tables, &tables).await;
}
