use std::sync::{Arc, LazyLock};

use parquet::{
    basic::{
        Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
    },
    errors::ParquetError,
    file::{
        metadata::SortingColumn,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
    },
    schema::types::{ColumnPath, Type, TypePtr},
};

use super::schema::{
    COLUMNS, Field,
    Values::{Amount as Decimal, Count, Date as Day, Flag, Id, Ratio, Text, Time},
};

/// How a file of so many bars is written: its columns and their encodings.
pub(super) fn writer(bars: usize) -> (TypePtr, WriterPropertiesPtr) {
    #[expect(
        clippy::expect_used,
        reason = "a test writes the schema, which is constant"
    )]
    static SCHEMA: LazyLock<TypePtr> = LazyLock::new(|| Arc::new(schema().expect("a schema")));
    static PLAIN: LazyLock<WriterPropertiesPtr> =
        LazyLock::new(|| Arc::new(properties(Compression::UNCOMPRESSED)));
    static PACKED: LazyLock<WriterPropertiesPtr> = LazyLock::new(|| {
        let level = ZstdLevel::try_new(1).unwrap_or_default();
        Arc::new(properties(Compression::ZSTD(level)))
    });
    let properties = if bars < WORTH_PACKING {
        &PLAIN
    } else {
        &PACKED
    };
    (Arc::clone(&SCHEMA), Arc::clone(properties))
}

fn schema() -> Result<Type, ParquetError> {
    let fields = COLUMNS.iter().map(|field| field.parquet().map(Arc::new));
    Type::group_type_builder("bar")
        .with_fields(fields.collect::<Result<_, _>>()?)
        .build()
}

impl Field {
    fn parquet(&self) -> Result<Type, ParquetError> {
        let builder = |physical| Type::primitive_type_builder(self.name, physical);
        let logical = |physical, logical| builder(physical).with_logical_type(Some(logical));
        let micros = LogicalType::timestamp(true, TimeUnit::MICROS);
        let built = match self.values {
            Text(..) | Id(..) => logical(Physical::BYTE_ARRAY, LogicalType::String),
            Decimal(..) => logical(Physical::FIXED_LEN_BYTE_ARRAY, LogicalType::decimal(18, 38))
                .with_length(16)
                .with_precision(38)
                .with_scale(18),
            Time(..) => logical(Physical::INT64, micros),
            Count(..) => builder(Physical::INT64),
            Day(..) => logical(Physical::INT32, LogicalType::Date),
            Flag(..) => builder(Physical::BOOLEAN),
            Ratio(..) => builder(Physical::DOUBLE),
        };
        let repetition = if self.required {
            Repetition::REQUIRED
        } else {
            Repetition::OPTIONAL
        };
        built.with_repetition(repetition).build()
    }
}

/// One page per column of a month at most times, no index of pages, and only encodings that every engine has.
///
/// Zstandard has to earn what its start costs in each column, which is a third of the time of a small file. Columns of few
/// texts and of whole numbers are small as they are.
fn properties(of_numbers: Compression) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("quotelake version {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_data_page_row_count_limit(usize::MAX)
        .set_max_row_group_row_count(None)
        .set_sorting_columns(sorting());
    for field in &COLUMNS {
        let path = ColumnPath::from(field.name);
        properties = match field.values {
            Text(..) => properties.set_column_dictionary_enabled(path, true),
            Time(..) | Count(..) | Day(..) => {
                properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
            }
            Id(..) | Decimal(..) | Ratio(..) => properties.set_column_compression(path, of_numbers),
            Flag(..) => properties,
        };
    }
    properties.build()
}

/// From this number of bars on a file is packed.
const WORTH_PACKING: usize = 1_000;

fn sorting() -> Option<Vec<SortingColumn>> {
    let column_idx = COLUMNS
        .iter()
        .position(|field| field.name == "start_time")?;
    let column_idx = i32::try_from(column_idx).ok()?;
    Some(vec![SortingColumn {
        column_idx,
        descending: false,
        nulls_first: false,
    }])
}
