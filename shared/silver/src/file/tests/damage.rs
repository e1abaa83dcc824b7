use super::*;

proptest! {
    #[test]
    fn a_file_with_other_bytes_is_damaged_or_the_same(
        file in files(8),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4),
    ) {
        let mut bytes = encode(&file).to_vec();
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        if let Ok(decoded) = decode(&Bytes::from(bytes)) {
            prop_assert_eq!(decoded, file);
        }
    }

    #[test]
    fn a_file_that_is_cut_is_damaged(file in files(8), at in any::<prop::sample::Index>()) {
        let bytes = encode(&file);
        let cut = bytes.slice(..at.index(bytes.len()));
        prop_assert!(matches!(decode(&cut), Err(FileDamage::NotParquet(_))));
    }

    #[test]
    fn any_bytes_are_no_parquet(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(decode(&Bytes::from(bytes)), Err(FileDamage::NotParquet(_))));
    }
}

#[test]
fn a_flip_in_any_byte_is_damage() {
    let bytes = encode(&example(5));
    for at in 0..bytes.len() {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << (at % 8);
        assert!(decode(&Bytes::from(bytes)).is_err(), "byte {at}");
    }
}

#[test]
fn rows_and_metadata_can_not_be_edited_unnoticed() {
    let file = example(3);
    let good = encode(&file);
    let digest = &key_values(&good)["quotelake.rows"];
    let edits: [fn(&mut File); 6] = [
        |file| file.bars[1].late = 1,
        |file| file.bars[1].subject.mic = None,
        |file| file.bars.swap(0, 1),
        |file| file.rules.lateness += 1,
        |file| file.units.clear(),
        |file| file.bars.clear(),
    ];
    for edit in edits {
        let mut edited = file.clone();
        edit(&mut edited);
        let bytes = with_digest(&encode(&edited), digest);
        assert_eq!(decode(&bytes), Err(FileDamage::Edited));
    }
    assert_eq!(decode(&with_digest(&good, digest)), Ok(file));
}

/// The file with this text in the place of its own digest.
fn with_digest(bytes: &Bytes, digest: &str) -> Bytes {
    let own = &key_values(bytes)["quotelake.rows"];
    assert_eq!(own.len(), digest.len());
    let at = bytes
        .windows(own.len())
        .rposition(|window| window == own.as_bytes())
        .unwrap();
    let mut bytes = bytes.to_vec();
    bytes[at..at + own.len()].copy_from_slice(digest.as_bytes());
    Bytes::from(bytes)
}

#[test]
fn a_newer_schema_is_said_whatever_its_columns() {
    let newer = foreign(
        "message bar { required int32 price; }",
        &[("quotelake.silver", "2")],
    );
    assert_eq!(decode(&newer), Err(FileDamage::NewerSchema(2)));
    assert_eq!(
        FileDamage::NewerSchema(2).to_string(),
        "it has the silver schema 2, and this program writes 1: run the newer program"
    );
}

#[test]
fn parquet_of_others_is_no_silver_file() {
    let not_silver = |file: &Bytes| match decode(file) {
        Err(FileDamage::NotSilver(why)) => why,
        other => panic!("{other:?}"),
    };
    let schema = "message schema { optional int64 a; }";
    for number in [None, Some("0"), Some("x"), Some("-1"), Some("4294967296")] {
        let pairs: Vec<_> = number
            .map(|number| ("quotelake.silver", number))
            .into_iter()
            .collect();
        let file = foreign(schema, &pairs);
        assert_eq!(not_silver(&file), "its metadata have no quotelake.silver");
    }
    let file = foreign(schema, &[("quotelake.silver", "1")]);
    assert_eq!(not_silver(&file), "its metadata have no quotelake.rows");
    let ours = key_values(&encode(&example(1)));
    let pairs: Vec<_> = ours.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(decode(&foreign(schema, &pairs)), Err(FileDamage::Edited));
    let mut file = foreign(schema, &pairs).to_vec();
    footer::put_digest(&mut file);
    assert_eq!(not_silver(&Bytes::from(file)), "it has other columns");
}

#[test]
fn no_text_of_a_file_passes_for_its_schema_or_digest() {
    let text = "quotelake.silver\u{18}\u{1}9quotelake.rows\u{18} 0123456789abcdef0123456789abcdef";
    let mut file = example(1);
    file.symbol = text.to_owned();
    file.bars[0].subject.mic = Some(text.to_owned());
    assert_eq!(decode(&encode(&file)), Ok(file));
}

/// A file of these columns and metadata, and of no rows.
fn foreign(schema: &str, pairs: &[(&str, &str)]) -> Bytes {
    let schema = parquet::schema::parser::parse_message_type(schema).unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties).unwrap();
    for (key, value) in pairs {
        writer.append_key_value_metadata(KeyValue::new((*key).to_owned(), (*value).to_owned()));
    }
    Bytes::from(writer.into_inner().unwrap())
}
